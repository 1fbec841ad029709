// Waits for the first hit, and links to it.
"use strict";

const first = document.getElementById("hs-first");

async function look() {
    if (!document.hidden) {
        const answer = await fetch(first.dataset.url, {headers: {"X-Hitstream-Ticket": first.dataset.ticket}}).catch(() => null);
        if (answer?.status === 401) return location.reload();
        const hit = answer?.ok ? (await answer.json()).hits.at(-1) : null;
        if (hit) return announce(hit);
    }
    setTimeout(look, 1000);
}

function announce(hit) {
    const text = document.getElementById("hs-arrived").content.cloneNode(true);
    const link = text.querySelector("[data-hit]");
    link.href = first.dataset.hit.replace("00000000-0000-0000-0000-000000000000", hit.id);
    link.textContent = hit.event || hit.type;
    text.querySelector("[data-live]").href = location.pathname;
    first.className = "hs-came";
    first.replaceChildren(text);
}

if (first) look();
