// Asks for the page again every data-refresh seconds, while it is looked at, and puts what it then
// says into each element with data-refresh and an id. Nothing is replaced that somebody is using.
"use strict";

const parts = [...document.querySelectorAll("[data-refresh][id]")].map((part) => part.id);

function seconds() {
    const asked = parts.map((id) => Number(document.getElementById(id)?.dataset.refresh)).filter(Boolean);
    return asked.length ? Math.min(...asked) : 0;
}

function isInUse(part) {
    return part.contains(document.activeElement) || part.querySelector("details[open]");
}

async function refresh() {
    if (!document.hidden) {
        const answer = await fetch(location.href, {credentials: "same-origin", redirect: "error"}).catch(() => null);
        if (answer?.ok) {
            const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
            for (const id of parts) {
                const old = document.getElementById(id);
                const now = fresh.getElementById(id);
                if (old && now && !isInUse(old)) old.replaceWith(document.adoptNode(now));
            }
        }
    }
    if (seconds()) setTimeout(refresh, seconds() * 1000);
}

if (seconds()) setTimeout(refresh, seconds() * 1000);
