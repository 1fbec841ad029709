// Copying. A button [data-copy] copies the <code> beside it, and an element [data-copy-id] gets a
// button that copies its value. What happened is shown at the button and announced.
"use strict";

// Pages may name the script beside the frame that brings it.
if (!window.hsCopy) {
    const words = document.getElementById("hs-words")?.dataset ?? {};
    const SHAPES = {copy: "M9 9h11v11H9zM5 15H4V4h11v1", done: "M5 13l4 4L19 7"};

    const icon = (name) => {
        const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        const path = document.createElementNS(svg.namespaceURI, "path");
        svg.setAttribute("viewBox", "0 0 24 24");
        svg.setAttribute("aria-hidden", "true");
        path.setAttribute("d", SHAPES[name]);
        svg.append(path);
        return svg;
    };

    const announce = (text) => {
        // What is outside an open modal dialog is not read.
        const place = document.querySelector("dialog:modal") ?? document.body;
        let status = place.querySelector(":scope > .hs-announced");
        if (!status) {
            status = Object.assign(document.createElement("div"), {className: "hs-announced visually-hidden"});
            status.setAttribute("role", "status");
            place.append(status);
        }
        status.textContent = "";
        setTimeout(() => { status.textContent = text; }, 50);
    };

    // Without TLS browsers give no clipboard, but let a page answer the copy command.
    const command = (text) => {
        let isCopied = false;
        const answer = (event) => {
            event.clipboardData.setData("text/plain", text);
            event.preventDefault();
            isCopied = true;
        };
        document.addEventListener("copy", answer, {once: true});
        document.execCommand("copy");
        document.removeEventListener("copy", answer);
        return isCopied;
    };

    const write = async (text) => {
        try {
            await navigator.clipboard.writeText(text);
            return true;
        } catch {
            return command(text);
        }
    };

    const flash = (button, text) => {
        const isIcon = button.classList.contains("hs-copy-id");
        button.hsContent ??= [...button.childNodes];
        button.replaceChildren(isIcon ? icon("done") : text);
        button.classList.add("hs-copied");
        clearTimeout(button.hsTimer);
        button.hsTimer = setTimeout(() => {
            button.replaceChildren(...button.hsContent);
            button.classList.remove("hs-copied");
        }, 2500);
    };

    const copy = async (text, button, source) => {
        const isCopied = await write(text);
        if (!isCopied && source) {
            source.closest("details")?.setAttribute("open", "");
            getSelection().selectAllChildren(source);
        }
        const outcome = isCopied ? words.copied : words.selected;
        announce(outcome);
        if (button) flash(button, outcome);
        return isCopied;
    };

    const decorate = (root) => {
        for (const element of root.querySelectorAll("[data-copy-id]:not(:has(button))")) {
            const value = element.dataset.copyId;
            const button = Object.assign(document.createElement("button"), {type: "button", className: "hs-copy-id", title: words.copyLabel});
            button.setAttribute("aria-label", words.copyValue.replace("{}", value));
            button.append(icon("copy"));
            element.append(button);
        }
    };

    document.addEventListener("click", (event) => {
        const button = event.target.closest("[data-copy], .hs-copy-id");
        if (!button) return;
        event.preventDefault();
        event.stopPropagation();
        const owner = button.closest("[data-copy-id]");
        const source = button.hasAttribute("data-copy") ? button.parentElement.querySelector("code") : owner;
        copy(owner && !button.hasAttribute("data-copy") ? owner.dataset.copyId : source.textContent, button, source);
    }, true);
    document.addEventListener("hs:shown", (event) => decorate(event.target));
    decorate(document);
    window.hsCopy = {copy, icon, announce};
}
