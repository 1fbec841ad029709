// Fetches the page again every data-refresh seconds while it is visible, and replaces each element
// with data-refresh and an id by its new version. An element in use is left alone. With
// data-refresh-slower the intervals grow, and end after about two minutes. Of an element with
// data-refresh-items only the children with a data-item are replaced, and those with data-still not.
"use strict";

{
    const MOST = 20, GROWTH = 1.1;
    const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
    const parts = [...document.querySelectorAll("[data-refresh][id]")].map((part) => part.id);
    let fetches = 0;

    function interval(part) {
        const wanted = Number(part?.dataset.refresh);
        if (part?.dataset.refreshSlower === undefined) return wanted;
        return fetches < MOST ? wanted * GROWTH ** fetches : 0;
    }

    function seconds() {
        const intervals = parts.map((id) => interval(document.getElementById(id))).filter(Boolean);
        return intervals.length ? Math.min(...intervals) : 0;
    }

    // The row that is open at the side is in use, too.
    function isInUse(part) {
        const isOpen = document.documentElement.classList.contains("hs-peeking") && part.querySelector(".hs-at");
        return isOpen || part.contains(document.activeElement) || part.querySelector("details[open]");
    }

    function itemsOf(list) {
        return new Map([...list.children].filter((each) => each.dataset.item).map((each) => [each.dataset.item, each]));
    }

    // Focus stays at its place in the item, or goes to the list if the item is gone.
    function replaceItems(list, fresh) {
        const old = itemsOf(list);
        const wanted = itemsOf(fresh);
        const focused = [...old].find(([, item]) => item.contains(document.activeElement));
        const place = focused && [...focused[1].querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
        for (const [key, item] of old) {
            if (wanted.has(key) && item.dataset.still !== undefined) wanted.set(key, item);
            else item.remove();
        }
        let next = null;
        for (const item of [...wanted.values()].reverse()) {
            if (!item.isConnected || item.nextElementSibling !== next) list.insertBefore(item, next);
            next = item;
        }
        if (focused && !focused[1].isConnected) {
            (wanted.get(focused[0])?.querySelectorAll(FOCUSABLE)[place] ?? list).focus();
        }
        if (fresh.dataset.refresh) list.dataset.refresh = fresh.dataset.refresh;
        else delete list.dataset.refresh;
        return list;
    }

    function replace(old, now) {
        if (old.dataset.refreshItems !== undefined) return replaceItems(old, document.adoptNode(now));
        if (isInUse(old)) return null;
        old.replaceWith(document.adoptNode(now));
        return now;
    }

    async function refresh() {
        if (!document.hidden) {
            fetches += 1;
            const answer = await fetch(location.href, {credentials: "same-origin", redirect: "error"}).catch(() => null);
            if (answer?.ok) {
                const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
                for (const id of parts) {
                    const old = document.getElementById(id);
                    const now = fresh.getElementById(id);
                    if (old && now) replace(old, now)?.dispatchEvent(new Event("hs:shown", {bubbles: true}));
                }
            }
        }
        plan();
    }

    function plan() {
        const wait = seconds();
        if (wait) setTimeout(refresh, wait * 1000);
    }

    plan();
}
