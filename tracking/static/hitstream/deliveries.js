// The delivery log: a side panel for a delivery, keys, the count, and a search that goes on.
"use strict";

const panel = document.getElementById("hs-panel");
const content = document.getElementById("hs-panel-content");
let opened = null;

function rowLinks() {
    return [...document.querySelectorAll("#hs-log tbody .hs-log-event a")];
}

function mark(link) {
    document.querySelectorAll("#hs-log tr.hs-at").forEach((row) => row.classList.remove("hs-at"));
    link?.closest("tr").classList.add("hs-at");
}

async function fetchPage(address) {
    const answer = await fetch(address);
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function open(link) {
    opened = link;
    mark(link);
    if (!panel.open) panel.showModal();
    content.setAttribute("aria-busy", "true");
    try {
        const page = await fetchPage(link.href);
        if (opened !== link) return;
        content.replaceChildren(document.adoptNode(page.getElementById("hs-delivery")));
        // What a button does is seen in the log.
        content.querySelectorAll("input[name=next]").forEach((field) => { field.value = location.pathname + location.search; });
    } catch {
        content.textContent = panel.dataset.failed;
    }
    content.removeAttribute("aria-busy");
    panel.scrollTop = 0;
}

function step(by) {
    const links = rowLinks();
    if (!links.length) return;
    const present = panel?.open ? opened : document.querySelector("#hs-log tr.hs-at .hs-log-event a");
    const place = links.indexOf(present);
    const link = links[Math.min(links.length - 1, Math.max(0, place + by))];
    if (place >= 0 && link === present) return;
    if (panel.open) return open(link);
    mark(link);
    link.focus();
}

async function copy(button) {
    const code = button.parentElement.querySelector("code");
    try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = button.dataset.copied;
    } catch {
        // Without TLS browsers give no clipboard: select the text, so that one key copies it.
        code.closest("details").open = true;
        getSelection().selectAllChildren(code);
        button.textContent = button.dataset.selected;
    }
}

async function count() {
    const place = document.getElementById("hs-log-count");
    if (!place?.dataset.url) return;
    const link = place.firstElementChild;
    place.textContent = place.dataset.counting;
    try {
        const answer = await fetch(place.dataset.url);
        if (!answer.ok) throw new Error(answer.status);
        place.textContent = (await answer.json()).text;
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
        if (next && !isStopped && rowLinks().length < 50) {
            progress.textContent = foot.querySelector(".hs-waiting span").textContent;
            address = next.href;
            button.href = address;
        } else {
            document.getElementById("hs-log-foot").replaceWith(foot);
            if (!rowLinks().length && !next) document.getElementById("hs-log-page").replaceChildren(...page.getElementById("hs-log-page").childNodes);
            return;
        }
    }
    const fresh = button.cloneNode();
    delete fresh.dataset.running;
    fresh.textContent = fresh.dataset.again;
    button.replaceWith(fresh);
}

document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) return void copy(button);
    const on = event.target.closest("#hs-log-on");
    if (on) {
        event.preventDefault();
        if (on.dataset.running) return;
        on.dataset.again = on.textContent;
        return void searchOn(on);
    }
    if (event.target === panel) return panel.close();
    const row = event.target.closest("#hs-log tbody tr");
    const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button;
    if (!row || isElsewhere || String(getSelection())) return;
    event.preventDefault();
    open(row.querySelector(".hs-log-event a"));
});
document.addEventListener("keydown", (event) => {
    if (!panel || event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
});
// Filters that are not set stay out of the address.
document.querySelector(".hs-log-filters")?.addEventListener("formdata", ({formData}) => {
    for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});
panel?.addEventListener("close", () => {
    opened?.focus();
    opened = null;
});
count();
