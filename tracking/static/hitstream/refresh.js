// Fetches the page again every data-refresh seconds while it is visible, and replaces each element
// with data-refresh and an id by its new version. An element in use is left alone.
"use strict";

const parts = [...document.querySelectorAll("[data-refresh][id]")].map((part) => part.id);

function seconds() {
    const intervals = parts.map((id) => Number(document.getElementById(id)?.dataset.refresh)).filter(Boolean);
    return intervals.length ? Math.min(...intervals) : 0;
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
                if (!old || !now || isInUse(old)) continue;
                old.replaceWith(document.adoptNode(now));
                now.dispatchEvent(new Event("hs:shown", {bubbles: true}));
            }
        }
    }
    if (seconds()) setTimeout(refresh, seconds() * 1000);
}

if (seconds()) setTimeout(refresh, seconds() * 1000);
