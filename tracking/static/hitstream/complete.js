// Suggestions below fields with data-complete, from the events that were seen: "events", "paths" or
// "breakdowns". A field of one line is completed as a whole, an area at the caret's line or word.
// Nothing is chosen until an arrow key goes into the list, so Enter and Tab keep their meaning.
"use strict";

// A block: its names are none of the page's other scripts.
{
    const source = document.getElementById("hs-complete");
    const SHOWN = 12;
    const WAIT = 120;
    // A path before the caret: names, ."quoted names" and ["quoted names"], and [] of lists.
    const WORD = /[A-Za-z_]\w*(?:\."[^"]*"?|\.\w*|\[(?:"[^"]*"?)?\]?)*$/;
    const cache = new Map();
    let count = 0;

    // What is completed: from `start` to `end` of the field, and the kind and syntax of it.
    function place(field) {
        const {complete: kind, syntax = "", pairs} = field.dataset;
        const text = field.value;
        const caret = field.selectionStart ?? text.length;
        if (field.tagName !== "TEXTAREA") return {start: 0, end: text.length, kind, syntax};
        const start = text.lastIndexOf("\n", caret - 1) + 1;
        const next = text.indexOf("\n", caret);
        const end = next < 0 ? text.length : next;
        const equals = text.slice(start, end).indexOf("=");
        if (pairs && equals >= 0) {
            const middle = start + equals;
            if (caret <= middle) return {start, end: middle, kind, syntax, space: " "};
            return pairs === "both" ? word(text, middle + 1, caret, "jmespath") : null;
        }
        if (syntax === "cel") return word(text, 0, caret, "cel");
        return {start, end, kind, syntax};
    }

    // The path that ends at the caret; none within a text in quotes.
    function word(text, from, caret, syntax) {
        const before = text.slice(from, caret);
        const found = WORD.exec(before)?.[0] ?? "";
        const outside = before.slice(0, before.length - found.length);
        if ((outside.match(/["']/g) ?? []).length % 2) return null;
        return {start: caret - found.length, end: caret, kind: "paths", syntax};
    }

    async function fetched(parameters) {
        const address = `${source.dataset.url}?${parameters}`;
        if (!cache.has(address)) {
            const answer = fetch(address, {credentials: "same-origin", redirect: "error"})
                .then((response) => (response.ok ? response.json() : {options: []}))
                .then(({options}) => options, () => []);
            cache.set(address, answer);
            setTimeout(() => cache.delete(address), 60000);
        }
        return cache.get(address);
    }

    function tokenOf(field) {
        return field.dataset.token || field.form?.querySelector("[name=token]")?.value || "";
    }

    async function suggestions(field, {kind, syntax}, term) {
        const parameters = new URLSearchParams({kind, token: tokenOf(field)});
        if (kind === "events") {
            parameters.set("q", term);
            return fetched(parameters);
        }
        if (kind === "paths") {
            parameters.set("syntax", syntax);
            const names = field.form?.querySelector("[name=event_names]")?.value.split("\n") ?? [];
            for (const name of names.map((each) => each.trim()).filter(Boolean).slice(0, 3)) parameters.append("event", name);
        }
        const wanted = term.toLowerCase();
        const rank = ({value}) => {
            const text = value.toLowerCase();
            if (text.startsWith(wanted)) return 0;
            return text.includes(`.${wanted}`) ? 1 : 2;
        };
        const options = (await fetched(parameters)).filter(({value}) => value.toLowerCase().includes(wanted));
        return [0, 1, 2].flatMap((place) => options.filter((option) => rank(option) === place));
    }

    function attach(field) {
        const list = document.createElement("ul");
        list.id = `hs-complete-${++count}`;
        list.className = "hs-complete";
        list.setAttribute("role", "listbox");
        list.setAttribute("aria-label", source.dataset.label);
        list.hidden = true;
        (field.closest("dialog") ?? document.body).append(list);
        const isArea = field.tagName === "TEXTAREA";
        if (!isArea) field.setAttribute("role", "combobox");
        field.setAttribute("autocomplete", "off");
        field.setAttribute("aria-autocomplete", "list");
        field.setAttribute("aria-controls", list.id);
        let target = null;
        let asked = 0;
        let timer = 0;

        function expand(isOpen) {
            list.hidden = !isOpen;
            // A text area is no combobox, which alone has this attribute.
            if (!isArea) field.setAttribute("aria-expanded", String(isOpen));
            if (!isOpen) choose(null);
        }

        function choose(option) {
            for (const each of list.children) each.setAttribute("aria-selected", String(each === option));
            if (option) field.setAttribute("aria-activedescendant", option.id);
            else field.removeAttribute("aria-activedescendant");
            option?.scrollIntoView({block: "nearest"});
        }

        function show(options) {
            list.replaceChildren(...options.map(({value, note}, at) => {
                const option = document.createElement("li");
                option.id = `${list.id}-${at}`;
                option.setAttribute("role", "option");
                option.setAttribute("aria-selected", "false");
                option.dataset.value = value;
                const about = Object.assign(document.createElement("span"), {className: "quiet", textContent: note});
                option.append(Object.assign(document.createElement("span"), {textContent: value}), about);
                return option;
            }));
            const box = field.getBoundingClientRect();
            list.style.left = `${box.left + scrollX}px`;
            list.style.top = `${box.bottom + scrollY + 4}px`;
            list.style.minWidth = `${Math.min(box.width, 320)}px`;
            expand(options.length > 0);
            const height = list.offsetHeight;
            if (box.bottom + height + 8 > innerHeight && box.top > height + 8) list.style.top = `${box.top + scrollY - height - 4}px`;
            const beyond = list.getBoundingClientRect().right - document.documentElement.clientWidth + 8;
            if (beyond > 0) list.style.left = `${Math.max(8, box.left + scrollX - beyond)}px`;
        }

        async function look(isWanted) {
            const turn = ++asked;
            target = place(field);
            const term = target ? field.value.slice(target.start, target.end).trim() : "";
            if (!target || (!term && !isWanted)) return expand(false);
            const options = (await suggestions(field, target, term)).slice(0, SHOWN);
            if (turn !== asked || document.activeElement !== field) return;
            const isWhole = options.length === 1 && options[0].value === term;
            show(isWhole ? [] : options);
        }

        function take(option) {
            const value = option.dataset.value + (target.space ?? "");
            field.focus();
            field.setRangeText(value, target.start, target.end, "end");
            expand(false);
            asked += 1;
            clearTimeout(timer);
            field.dispatchEvent(new Event("input", {bubbles: true}));
            clearTimeout(timer);
        }

        field.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(() => look(false), WAIT);
        });
        field.addEventListener("keydown", (event) => {
            const options = [...list.children];
            const at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
            if (list.hidden) {
                const isWanted = event.key === "ArrowDown" && (!isArea || event.altKey);
                if (!isWanted) return;
                look(true);
            } else if (event.key === "ArrowDown") choose(options[at + 1] ?? options[0]);
            else if (event.key === "ArrowUp") choose(options[at - 1] ?? options.at(-1));
            else if (event.key === "Enter" && at >= 0) take(options[at]);
            else if (event.key === "Escape") expand(false);
            else return;
            event.preventDefault();
            event.stopPropagation();
        });
        // Before the field loses the focus to the click.
        list.addEventListener("pointerdown", (event) => {
            event.preventDefault();
            const option = event.target.closest("[role=option]");
            if (option) take(option);
        });
        field.addEventListener("blur", () => {
            asked += 1;
            clearTimeout(timer);
            expand(false);
        });
        expand(false);
    }

    if (source) document.querySelectorAll("[data-complete]").forEach(attach);
}
