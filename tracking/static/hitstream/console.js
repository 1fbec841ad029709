// On every page of the console: sends the viewer's time zone to the server, and handles keys.
"use strict";

const ZONE_COOKIE = "hitstream_zone";
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function isKnown() {
    return document.cookie.split("; ").includes(`${ZONE_COOKIE}=${zone}`);
}

function isChosen() {
    return document.cookie.split("; ").some((each) => each.startsWith("hitstream_zone_choice="));
}

// Reloads a page that was made for another time zone, unless the viewer has chosen one.
if (zone && !isKnown()) {
    document.cookie = `${ZONE_COOKIE}=${zone}; path=/; max-age=31536000; samesite=lax`;
    if (isKnown() && !isChosen()) location.reload();
}

const links = new Map(
    [...document.querySelectorAll("[data-key]")].map((link) => [link.dataset.key, link]),
);
let leader = 0;

// On a narrow page the navigation scrolls sideways: the present place must be in sight.
document.querySelector(".hs-nav [aria-current]")?.scrollIntoView({block: "nearest", inline: "center"});

function isTyping(target) {
    return target.matches("input, textarea, select, [contenteditable]");
}

function showKeys() {
    const dialog = document.getElementById("hs-keys");
    const list = dialog.querySelector("dl");
    list.replaceChildren();
    const text = dialog.dataset;
    const lines = [["/", text.searchText], ["Ctrl K", text.paletteText]];
    if (document.querySelector("[data-list], #result_list")) lines.push(["j k", text.rowsText], ["Enter", text.openText]);
    if (document.getElementById("hs-panel")) lines.push(["Esc", text.closeText]);
    for (const each of document.querySelectorAll("[data-keys]")) lines.push([each.dataset.keys, each.dataset.keysText]);
    if (document.querySelector(".hs-tree, [data-list=panel]")) lines.push(["↑ ↓ ← →", text.treeText], ["c", text.valueText], ["Shift C", text.pathText]);
    // Without the number of alerts, which is an element of the link.
    const nameOf = (link) => [...link.childNodes].map((each) => each.nodeValue ?? "").join("").trim();
    lines.push(...[...links].map(([key, link]) => [`g ${key}`, nameOf(link)]));
    for (const [keys, text] of lines) {
        const term = document.createElement("dt");
        for (const key of keys.split(" ")) {
            term.append(Object.assign(document.createElement("kbd"), {textContent: key}), " ");
        }
        list.append(term, Object.assign(document.createElement("dd"), {textContent: text}));
    }
    dialog.showModal();
}

document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isSecond = Date.now() - leader < 1500;
    leader = 0;
    if (event.key === "g") {
        leader = Date.now();
    } else if (isSecond && links.has(event.key)) {
        links.get(event.key).click();
    } else if (event.key === "/") {
        const box = document.querySelector("[data-search]");
        if (!box) return;
        event.preventDefault();
        box.focus();
        box.select();
    } else if (event.key === "?") {
        showKeys();
    }
});
