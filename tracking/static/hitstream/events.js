// The list of events: replaced while one types, with the filters in the address.
"use strict";

{
    const form = document.querySelector("form[data-live]");
    let asked = 0;
    let timer = 0;

    async function look() {
        const turn = ++asked;
        const filters = [...new FormData(form)].filter(([, value]) => value);
        const address = filters.length ? `?${new URLSearchParams(filters)}` : location.pathname;
        const answer = await fetch(address, {credentials: "same-origin", redirect: "error"}).catch(() => null);
        if (!answer?.ok || turn !== asked) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(form.dataset.live);
        if (!fresh || turn !== asked) return;
        document.getElementById(form.dataset.live).replaceWith(document.adoptNode(fresh));
        history.replaceState(null, "", address);
    }

    form?.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(look, 200);
    });
}
