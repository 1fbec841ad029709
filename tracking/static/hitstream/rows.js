// Lists whose rows have pages, marked by data-list: j and k (on a row also the arrow keys) move,
// Enter opens. With data-list="panel" the row opens at the side, and the list stays in use.
"use strict";

{
    const panel = document.getElementById("hs-panel");
    const content = document.getElementById("hs-panel-content");
    const wide = matchMedia("(min-width: 1024px)");
    const LISTS = "[data-list], #result_list";
    let opened = null;

    const linkOf = (row) => row.querySelector("a[data-row]") ?? row.querySelector("a[href]");
    const rowOf = (element) => element?.closest?.("[data-list] > tbody > tr, ul[data-list] > li, div[data-list] > *, #result_list > tbody > tr");

    function rows() {
        const matches = [...document.querySelectorAll(LISTS)].flatMap((list) => (
            list.matches("table") ? [...list.tBodies].flatMap((body) => [...body.rows]) : [...list.children]
        ));
        return matches.filter((row) => linkOf(row) && row.getClientRects().length);
    }

    function mark(row) {
        document.querySelectorAll(".hs-at").forEach((each) => each.classList.remove("hs-at"));
        row?.classList.add("hs-at");
    }

    async function fetchPart(link) {
        const answer = await fetch(link.dataset.peek || link.href);
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        return page.querySelector("[data-panel]");
    }

    function show() {
        if (wide.matches) panel.show();
        else panel.showModal();
        document.documentElement.classList.add("hs-peeking");
        panel.focus();
    }

    async function open(link) {
        opened = link;
        mark(rowOf(link));
        if (!panel.open) show();
        content.setAttribute("aria-busy", "true");
        try {
            const part = await fetchPart(link);
            if (opened !== link) return;
            content.replaceChildren(document.adoptNode(part));
            // What a button does is seen in the list.
            content.querySelectorAll("input[name=next]").forEach((field) => { field.value = location.pathname + location.search; });
            content.dispatchEvent(new Event("hs:shown", {bubbles: true}));
        } catch {
            if (opened === link) content.textContent = panel.dataset.failed;
        }
        content.removeAttribute("aria-busy");
        panel.scrollTop = 0;
    }

    // Replaces the parts that change while the panel is open, and leaves the others as they are.
    async function renew() {
        const link = opened;
        const part = link && await fetchPart(link).catch(() => null);
        if (!part || opened !== link) return;
        for (const fresh of part.querySelectorAll("[data-fresh]")) {
            content.querySelector(`[data-fresh="${fresh.dataset.fresh}"]`)?.replaceWith(document.adoptNode(fresh));
        }
        content.dispatchEvent(new Event("hs:shown", {bubbles: true}));
    }

    function step(by) {
        const all = rows();
        const present = (panel?.open && rowOf(opened)) || rowOf(document.activeElement) || document.querySelector(".hs-at");
        const place = all.indexOf(present);
        const row = all[Math.min(all.length - 1, Math.max(0, place + by))];
        if (!row || row === present) return;
        mark(row);
        const link = linkOf(row);
        const isFocused = !panel?.open || !panel.contains(document.activeElement);
        if (isFocused) link.focus();
        row.scrollIntoView({block: "nearest"});
        if (panel?.open) open(link);
    }

    document.addEventListener("click", (event) => {
        if (event.target === panel) return panel.close();
        if (event.target.closest("#hs-panel, button, summary, input, select")) return;
        const row = rowOf(event.target);
        const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button;
        if (!panel || !row?.closest('[data-list="panel"]') || isElsewhere || String(getSelection())) return;
        const link = linkOf(row);
        const other = event.target.closest("a");
        if (!link || (other && other !== link)) return;
        event.preventDefault();
        open(link);
    });

    document.addEventListener("keydown", (event) => {
        if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.target.matches("input, textarea, select, [contenteditable]") || document.querySelector("dialog:modal:not(#hs-panel)")) return;
        const isOnRow = Boolean(rowOf(event.target));
        if (event.key === "j" || (isOnRow && event.key === "ArrowDown")) step(1);
        else if (event.key === "k" || (isOnRow && event.key === "ArrowUp")) step(-1);
        else if (event.key === "Escape" && panel?.open) panel.close();
        else if (event.key === "Enter" && event.target === document.body) linkOf(document.querySelector(".hs-at") ?? document.createElement("p"))?.click();
        else return;
        if (event.key !== "Enter") event.preventDefault();
    });

    document.addEventListener("focusin", (event) => {
        const row = rowOf(event.target);
        if (row && !panel?.open) mark(row);
    });

    panel?.addEventListener("close", () => {
        document.documentElement.classList.remove("hs-peeking");
        (opened?.isConnected ? opened : linkOf(rows()[0] ?? panel))?.focus();
        opened = null;
    });
    panel?.addEventListener("hs:changed", renew);
    // The sheet of a phone is modal, the panel of a desktop is not.
    wide.addEventListener("change", () => {
        const link = opened;
        if (!panel?.open || !link) return;
        panel.close();
        setTimeout(() => open(link));
    });
    window.hsRows = {isOpen: (id) => Boolean(panel?.open && id && rowOf(opened)?.dataset.id === id)};
}
