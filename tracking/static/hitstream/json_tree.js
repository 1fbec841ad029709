// Shows JSON as a tree: each element [data-json] whose <pre> holds an object or an array. The nodes
// are made when their parent is unfolded, by DOM and as text, so that half a megabyte opens at once.
"use strict";

{
    const {parse, pathOf, textOf} = window.hsJson;
    const words = document.getElementById("hs-words").dataset;
    const OPEN_ROWS = 60, CHUNK = 200, LONG = 160, SEARCHED_FROM = 30;

    const make = (name, className, ...content) => {
        const element = document.createElement(name);
        if (className) element.className = className;
        element.append(...content);
        return element;
    };
    const button = (text, className, act) => {
        const element = make("button", className, text);
        element.type = "button";
        element.addEventListener("click", (event) => {
            event.stopPropagation();
            act(element);
        });
        return element;
    };

    class Tree {
        constructor(root) {
            this.root = root;
            this.elements = new Map();
            this.element = make("div", "hs-tree");
            this.element.setAttribute("role", "tree");
            this.element.setAttribute("aria-label", words.tree);
            this.element.dir = "ltr";
            this.element.append(this.item(root));
            this.elements.get(root).tabIndex = 0;
            this.present = root;
            this.unfoldFirst();
            this.element.addEventListener("keydown", (event) => this.onKey(event));
            this.element.addEventListener("click", (event) => this.onClick(event));
            this.element.addEventListener("focusin", (event) => { if (event.target.hsNode) this.choose(event.target.hsNode); });
        }

        // Unfolds level by level, as long as the rows fit on a screen or two.
        unfoldFirst() {
            let level = [this.root];
            let rows = 1;
            while (level.length) {
                const next = level.flatMap((node) => (node.children?.length ? [node] : []));
                rows += next.reduce((sum, node) => sum + node.children.length, 0);
                if (rows > OPEN_ROWS && next[0] !== this.root) return;
                next.forEach((node) => this.fold(node, true));
                level = next.flatMap((node) => node.children.slice(0, CHUNK));
            }
        }

        item(node) {
            const row = make("div", "hs-node");
            row.hsNode = node;
            row.setAttribute("role", "treeitem");
            row.setAttribute("aria-level", node.level);
            row.tabIndex = -1;
            row.append(make("span", "hs-fold"));
            if (node.parent) {
                const isIndex = node.parent.kind === "array";
                const name = make("span", isIndex ? "hs-index" : "hs-key", make("bdi", "", String(node.key)));
                row.append(name, make("span", "hs-mark-of", ": "));
            }
            row.append(this.value(node));
            const tools = make("span", "hs-node-tools");
            tools.append(button(words.value, "hs-node-tool", (element) => this.copyValue(node, element)));
            if (node.parent) tools.append(button(words.path, "hs-node-tool", (element) => this.copyPath(node, element)));
            // For the mouse: the keyboard has keys for both.
            tools.querySelectorAll("button").forEach((each) => { each.tabIndex = -1; });
            tools.setAttribute("aria-hidden", "true");
            row.append(tools);
            if (node.children?.length) row.setAttribute("aria-expanded", "false");
            this.elements.set(node, row);
            return make("div", "", row);
        }

        value(node) {
            if (node.children) return make("span", "hs-level", summary(node));
            const value = make("span", `hs-${node.kind}-value`);
            if (node.text.length <= LONG) {
                value.append(make("bdi", "", node.text));
                return value;
            }
            const text = make("bdi", "", node.text.slice(0, LONG));
            value.append(text, button("…", "hs-more", (element) => {
                const isCut = element.textContent === "…";
                text.textContent = isCut ? node.text : node.text.slice(0, LONG);
                element.textContent = isCut ? "−" : "…";
            }));
            value.lastChild.tabIndex = -1;
            value.lastChild.setAttribute("aria-label", words.whole);
            return value;
        }

        fold(node, isOpen) {
            const item = this.elements.get(node);
            if (!item || !node.children?.length) return;
            item.setAttribute("aria-expanded", String(isOpen));
            let group = item.nextElementSibling;
            if (!group && isOpen) {
                group = make("div", "hs-nodes");
                group.setAttribute("role", "group");
                item.after(group);
                this.grow(node, group, CHUNK);
            }
            if (group) group.hidden = !isOpen;
        }

        // Adds children up to that number, and a button for the others.
        grow(node, group, until) {
            group.querySelector(":scope > .hs-rest")?.remove();
            const shown = group.children.length;
            group.append(...node.children.slice(shown, until).map((child) => this.item(child)));
            const left = node.children.length - group.children.length;
            if (left <= 0) return;
            const rest = make("div", "hs-rest", words.more.replace("{}", left.toLocaleString(document.documentElement.lang || undefined)));
            rest.setAttribute("role", "treeitem");
            rest.addEventListener("click", () => {
                const next = group.children.length - 1;
                this.grow(node, group, next + CHUNK);
                this.move(node.children[next]);
            });
            group.append(rest);
        }

        reveal(node) {
            const parents = [];
            for (let each = node.parent; each; each = each.parent) parents.unshift(each);
            let child;
            for (const [at, parent] of parents.entries()) {
                this.fold(parent, true);
                child = parents[at + 1] ?? node;
                if (!this.elements.has(child)) {
                    const group = this.elements.get(parent).nextElementSibling;
                    this.grow(parent, group, parent.children.indexOf(child) + 1 + CHUNK);
                }
            }
            return this.elements.get(node);
        }

        choose(node) {
            const old = this.elements.get(this.present);
            if (old) old.tabIndex = -1;
            this.element.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
            this.present = node;
            const item = this.elements.get(node);
            item.tabIndex = 0;
            item.setAttribute("aria-selected", "true");
        }

        move(node) {
            if (!node || !this.elements.has(node)) return;
            this.elements.get(node).focus({preventScroll: true});
            this.elements.get(node).scrollIntoView({block: "nearest"});
        }

        visible() {
            return [...this.element.querySelectorAll(".hs-node")].filter((item) => item.getClientRects().length);
        }

        isOpen(node) {
            return this.elements.get(node)?.getAttribute("aria-expanded") === "true";
        }

        copyValue(node, element) {
            window.hsCopy.copy(textOf(node), element);
        }

        copyPath(node, element) {
            window.hsCopy.copy(pathOf(node), element);
        }

        onClick(event) {
            const item = event.target.closest(".hs-node");
            if (!item || event.target.closest("button") || String(getSelection())) return;
            this.fold(item.hsNode, !this.isOpen(item.hsNode));
            item.focus({preventScroll: true});
        }

        onKey(event) {
            if (event.ctrlKey || event.metaKey || event.altKey || !event.target.hsNode) return;
            const node = this.present;
            const items = this.visible();
            const at = items.indexOf(this.elements.get(node));
            const tool = (place) => this.elements.get(node).querySelectorAll(".hs-node-tool")[place];
            const keys = {
                ArrowDown: () => {
                    const rest = this.isOpen(node) ? null : items[at].parentElement.nextElementSibling;
                    if (rest?.matches(".hs-rest")) rest.click();
                    else this.move(items[at + 1]?.hsNode);
                },
                ArrowUp: () => this.move(items[at - 1]?.hsNode),
                Home: () => this.move(items[0].hsNode),
                End: () => this.move(items.at(-1).hsNode),
                ArrowRight: () => (this.isOpen(node) ? this.move(node.children[0]) : this.fold(node, true)),
                ArrowLeft: () => (this.isOpen(node) ? this.fold(node, false) : this.move(node.parent)),
                Enter: () => (node.children ? this.fold(node, !this.isOpen(node)) : this.elements.get(node).querySelector(".hs-more")?.click()),
                c: () => this.copyValue(node, tool(0)),
                C: () => this.copyPath(node, tool(1)),
            };
            const act = keys[event.key === " " ? "Enter" : event.key];
            if (!act) return;
            event.preventDefault();
            act();
        }
    }

    const summary = (node) => {
        const [first, last] = node.kind === "object" ? "{}" : "[]";
        return node.children.length ? `${first} ${node.children.length} ${last}` : first + last;
    };

    const all = (root) => {
        const matches = [];
        const queue = [root];
        while (queue.length) {
            const node = queue.pop();
            matches.push(node);
            for (let at = (node.children?.length ?? 0) - 1; at >= 0; at -= 1) queue.push(node.children[at]);
        }
        return matches;
    };

    // A field that finds names and values, however deep; Enter goes to the next.
    const finder = (tree, nodes) => {
        const field = Object.assign(make("input", "hs-json-find"), {type: "search", placeholder: words.find, autocomplete: "off", spellcheck: false});
        const count = make("span", "hs-json-count");
        let matches = [];
        let place = 0;
        field.setAttribute("aria-label", words.find);
        count.setAttribute("role", "status");
        const show = () => {
            tree.element.querySelector(".hs-match")?.classList.remove("hs-match");
            count.textContent = field.value ? `${matches.length ? place + 1 : 0} / ${matches.length}` : "";
            if (!matches.length) return;
            const item = tree.reveal(matches[place]);
            item.classList.add("hs-match");
            item.scrollIntoView({block: "nearest"});
            tree.choose(matches[place]);
        };
        let timer = 0;
        field.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(() => {
                const term = field.value.toLowerCase();
                place = 0;
                matches = term ? nodes.filter((node) => (
                    (node.parent?.kind === "object" && node.key.toLowerCase().includes(term))
                    || (!node.children && (node.value ?? node.text).toLowerCase().includes(term))
                )) : [];
                show();
            }, 120);
        });
        field.addEventListener("keydown", (event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            if (matches.length) place = (place + (event.shiftKey ? matches.length - 1 : 1)) % matches.length;
            show();
        });
        return [field, count];
    };

    const enhance = (place) => {
        const pre = place.querySelector(":scope > pre");
        if (!pre || place.querySelector(".hs-tree")) return;
        const text = pre.textContent;
        const bar = make("div", "hs-json-bar");
        const copy = button(words.copyLabel, "hs-json-button", (element) => window.hsCopy.copy(text, element, pre));
        const root = parse(text);
        if (!root) {
            if (text.trim() && text.length < 1000000) place.prepend(bar);
            bar.append(copy);
            return;
        }
        const tree = new Tree(root);
        const nodes = all(root);
        const raw = button(words.raw, "hs-json-button", () => {
            const isRaw = raw.getAttribute("aria-pressed") !== "true";
            raw.setAttribute("aria-pressed", String(isRaw));
            pre.hidden = !isRaw;
            tree.element.hidden = isRaw;
        });
        raw.setAttribute("aria-pressed", "false");
        if (nodes.length >= SEARCHED_FROM) bar.append(...finder(tree, nodes));
        bar.append(raw, copy);
        pre.hidden = true;
        place.prepend(bar, tree.element);
    };

    const enhanceAll = (root) => root.querySelectorAll("[data-json]").forEach(enhance);
    document.addEventListener("hs:shown", (event) => enhanceAll(event.target));
    enhanceAll(document);
}
