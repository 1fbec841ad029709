// Reads JSON for json_tree.js as it is written: numbers keep their digits, objects their order and
// their repeated names. A node is {kind, text, value, children, key, parent, level}.
"use strict";

{
    const TOKEN = /\s*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|([^\s{}[\],:"]+))/y;
    const WORD = /^[A-Za-z_][A-Za-z0-9_]*$/;

    // Return the node of the text, or null if it is not an object or an array.
    const parse = (text) => {
        try {
            const value = JSON.parse(text);
            if (value === null || typeof value !== "object") return null;
        } catch {
            return null;
        }
        // Valid from here on: no token has to be checked.
        let root = null;
        let parent = null;
        let key = null;
        TOKEN.lastIndex = 0;
        for (let token = TOKEN.exec(text); token; token = TOKEN.exec(text)) {
            const [, mark, string, word] = token;
            if (mark === "}" || mark === "]") {
                parent = parent.parent;
                continue;
            }
            if (mark === "," || mark === ":") continue;
            if (string && parent?.kind === "object" && key === null) {
                key = JSON.parse(string);
                continue;
            }
            const node = {key, parent, level: parent ? parent.level + 1 : 1, text: string ?? word ?? ""};
            if (mark) Object.assign(node, {kind: mark === "{" ? "object" : "array", children: []});
            else if (string) Object.assign(node, {kind: "string", value: JSON.parse(string)});
            else node.kind = word === "null" ? "null" : word === "true" || word === "false" ? "boolean" : "number";
            if (parent?.kind === "array") node.key = parent.children.length;
            parent?.children.push(node);
            root ??= node;
            key = null;
            if (mark) parent = node;
        }
        return root;
    };

    // Return where the node is, as JMESPath writes it.
    const pathOf = (node) => {
        const steps = [];
        for (let each = node; each.parent; each = each.parent) steps.unshift(each);
        return steps.map((each, at) => {
            if (each.parent.kind === "array") return `[${each.key}]`;
            const name = WORD.test(each.key) ? each.key : JSON.stringify(each.key);
            return at ? `.${name}` : name;
        }).join("") || "@";
    };

    // Return the value as text to copy: a string without its quotes, an object indented.
    const textOf = (node, indent = "") => {
        if (node.kind === "string" && !indent) return node.value;
        if (!node.children) return node.text;
        const [first, last] = node.kind === "object" ? "{}" : "[]";
        if (!node.children.length) return first + last;
        const inner = `${indent}  `;
        const lines = node.children.map((child) => (
            `${inner}${node.kind === "object" ? `${JSON.stringify(child.key)}: ` : ""}${textOf(child, inner)}`
        ));
        return `${first}\n${lines.join(",\n")}\n${indent}${last}`;
    };

    window.hsJson = {parse, pathOf, textOf};
}
