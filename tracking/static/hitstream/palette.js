// The command palette: Ctrl+K or ⌘K opens it. Pages are matched here, everything else by the server.
"use strict";

// A block: its names are none of the page's other scripts.
{
    const palette = document.getElementById("hs-palette");
    const input = palette?.querySelector("input");
    const list = palette?.querySelector("ul");
    const none = palette?.querySelector(".hs-palette-none");
    const pages = [...document.querySelectorAll(".hs-nav a[data-key], a[data-palette]")].map((link) => ({
        kind: palette?.dataset.page, text: link.dataset.palette ?? link.textContent.trim().replace(/\s+/g, " "), url: link.href,
    }));
    let asked = 0;
    let timer = 0;

    function options() {
        return [...list.children];
    }

    function choose(option) {
        for (const each of options()) each.setAttribute("aria-selected", String(each === option));
        if (option) input.setAttribute("aria-activedescendant", option.id);
        else input.removeAttribute("aria-activedescendant");
        option?.scrollIntoView({block: "nearest"});
    }

    function show(entries) {
        list.replaceChildren(...entries.map((entry, at) => {
            const option = document.createElement("li");
            option.id = `hs-palette-${at}`;
            option.setAttribute("role", "option");
            option.dataset.url = entry.url;
            const kind = Object.assign(document.createElement("span"), {className: "quiet", textContent: entry.kind});
            option.append(Object.assign(document.createElement("span"), {textContent: entry.text}), kind);
            return option;
        }));
        choose(list.firstElementChild);
    }

    function pagesWith(term) {
        return pages.filter((page) => page.text.toLowerCase().includes(term.toLowerCase()));
    }

    async function look() {
        const term = input.value.trim();
        const turn = ++asked;
        show(pagesWith(term));
        none.hidden = true;
        if (!term) return;
        const answer = await fetch(`${palette.dataset.url}?q=${encodeURIComponent(term)}`, {credentials: "same-origin", redirect: "error"}).catch(() => null);
        if (!answer?.ok || turn !== asked) return;
        const {entries} = await answer.json();
        if (turn !== asked) return;
        show([...pagesWith(term), ...entries]);
        none.hidden = list.children.length > 0;
    }

    function go(option) {
        if (option) location.assign(option.dataset.url);
    }

    function open() {
        input.value = "";
        show(pages);
        none.hidden = true;
        palette.showModal();
        input.focus();
    }

    if (palette) {
        document.addEventListener("keydown", (event) => {
            if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
                event.preventDefault();
                if (!palette.open) open();
            }
        });
        input.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(look, 120);
        });
        input.addEventListener("keydown", (event) => {
            const all = options();
            const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
            if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
            else if (event.key === "ArrowUp") choose(all[(at - 1 + all.length) % all.length]);
            else if (event.key === "Enter") go(all[at]);
            else return;
            event.preventDefault();
        });
        list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
        // A click beside the box.
        palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });
    }
}
