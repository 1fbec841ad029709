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
    const link = document.createElement("a");
    link.href = first.dataset.hit.replace("00000000-0000-0000-0000-000000000000", hit.id);
    link.textContent = hit.event || hit.type;
    const live = Object.assign(document.createElement("a"), {href: location.pathname, textContent: "Watch the next hits"});
    first.className = "hs-came";
    first.replaceChildren("The first hit has arrived: ", link, ". ", live, ".");
}

if (first) look();
