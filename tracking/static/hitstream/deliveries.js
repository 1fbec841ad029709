// The delivery log: the count, and a search that goes on. rows.js opens its rows.
"use strict";

// What the count was before the page was refreshed.
let counted = "";

function rowCount() {
    return document.querySelectorAll("#hs-log tbody tr").length;
}

async function fetchPage(address) {
    const answer = await fetch(address);
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function count() {
    const place = document.getElementById("hs-log-count");
    if (!place?.dataset.url) return;
    const link = place.firstElementChild;
    place.textContent = counted || place.dataset.counting;
    try {
        const answer = await fetch(place.dataset.url);
        if (!answer.ok) throw new Error(answer.status);
        counted = (await answer.json()).text;
        place.textContent = counted;
    } catch {
        place.replaceChildren(link);
    }
}

// Shows the further rows that a search finds below those that are there, until it is stopped, or a
// page is full, or the search has come to its end.
async function searchOn(button) {
    let address = button.href;
    let isStopped = false;
    button.textContent = button.dataset.stop;
    button.dataset.running = "yes";
    button.addEventListener("click", () => { isStopped = true; }, {once: true});
    while (address && !isStopped) {
        let page;
        try {
            page = await fetchPage(address);
        } catch {
            break;
        }
        const foot = page.getElementById("hs-log-foot");
        const rows = page.querySelectorAll("#hs-log tbody tr");
        const body = document.querySelector("#hs-log tbody");
        if (body) body.append(...rows);
        else if (rows.length) document.getElementById("hs-log-page").append(page.getElementById("hs-log").parentElement);
        const next = foot.querySelector("#hs-log-on");
        const progress = document.querySelector("#hs-log-foot .hs-waiting span");
        if (next && !isStopped && rowCount() < 50) {
            progress.textContent = foot.querySelector(".hs-waiting span").textContent;
            address = next.href;
            button.href = address;
        } else {
            document.getElementById("hs-log-foot").replaceWith(foot);
            if (!rowCount() && !next) document.getElementById("hs-log-page").replaceChildren(...page.getElementById("hs-log-page").childNodes);
            return;
        }
    }
    const fresh = button.cloneNode();
    delete fresh.dataset.running;
    fresh.textContent = fresh.dataset.again;
    button.replaceWith(fresh);
}

document.addEventListener("click", (event) => {
    const on = event.target.closest("#hs-log-on");
    if (!on) return;
    event.preventDefault();
    if (on.dataset.running) return;
    on.dataset.again = on.textContent;
    searchOn(on);
});
document.addEventListener("hs:shown", (event) => { if (event.target.id === "hs-log-head") count(); });
// Filters that are not set stay out of the address.
document.querySelector(".hs-log-filters")?.addEventListener("formdata", ({formData}) => {
    for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});
count();
