// The latest hits, fetched every second while the page is visible. All text is inserted as text.
"use strict";

const table = document.getElementById("hs-live");
const form = document.getElementById("hs-live-filters");
const status = document.getElementById("hs-live-status");
const pause = document.getElementById("hs-live-pause");
const tokens = new Map([...form.elements.token.options].map((each) => [each.value, each.textContent]));
const COLOURS = {delivered: "good", dead: "bad", retrying: "paused"};
const EMPTY = "00000000-0000-0000-0000-000000000000";
const clock = new Intl.DateTimeFormat("sv-SE", {
    timeZone: table.dataset.zone, hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});
const day = new Intl.DateTimeFormat("en-CA", {timeZone: table.dataset.zone, dateStyle: "short"});
let known = null;
let timer = 0;

function pill(text, colour) {
    const element = document.createElement("span");
    element.className = `hs-pill hs-${colour}`;
    element.textContent = text;
    return element;
}

function outcome(states) {
    const labels = Object.fromEntries([...form.elements.outcome.options].map((each) => [each.value, each.textContent]));
    const counts = Object.entries(states);
    if (!counts.length) return [pill(labels.nowhere.toLowerCase(), "off")];
    return counts.flatMap(([state, count]) => {
        const text = (labels[state] ?? state).toLowerCase();
        return [pill(count > 1 ? `${count} ${text}` : text, COLOURS[state] ?? "off"), " "];
    });
}

function time(hit) {
    const at = new Date(hit.at);
    const element = document.createElement("time");
    const isToday = day.format(at) === day.format(new Date());
    const moment = clock.format(at).replace(",", ".");
    element.dateTime = at.toISOString();
    element.textContent = isToday ? moment : `${day.format(at)} ${moment}`;
    return element;
}

function link(hit) {
    const element = document.createElement("a");
    element.href = table.dataset.hit.replace(EMPTY, hit.id);
    element.textContent = hit.event || hit.type;
    return element;
}

function row(hit) {
    const element = document.createElement("tr");
    const cells = [time(hit), link(hit), outcome(hit.states), hit.user || hit.anonymous, tokens.get(String(hit.token)) ?? ""];
    for (const content of cells) {
        const cell = document.createElement("td");
        cell.append(...(Array.isArray(content) ? content : [content]));
        element.append(cell);
    }
    element.cells[0].className = "hs-when";
    if (known && !known.has(hit.id)) element.className = "hs-new";
    return element;
}

function show(answer) {
    const focused = document.activeElement?.closest?.("#hs-live a")?.href;
    table.tBodies[0].replaceChildren(...answer.hits.map(row));
    if (focused) [...table.querySelectorAll("a")].find((each) => each.href === focused)?.focus();
    known = new Set([...(known ?? []), ...answer.hits.map((hit) => hit.id)].slice(-2000));
    status.textContent = answer.summary;
}

function isPaused() {
    return pause.getAttribute("aria-pressed") === "true";
}

async function look() {
    clearTimeout(timer);
    let wait = 1000;
    if (!document.hidden && !isPaused()) {
        const filters = new URLSearchParams(new FormData(form));
        try {
            const answer = await fetch(`${table.dataset.url}?${filters}`, {headers: {"X-Hitstream-Ticket": table.dataset.ticket}});
            // The ticket has expired: load the page again, with the filters in its address.
            if (answer.status === 401) return location.replace(`?${filters}`);
            if (!answer.ok) throw new Error(answer.status);
            const live = await answer.json();
            if (!isPaused()) show(live);
        } catch {
            status.textContent = status.dataset.silent;
            wait = 5000;
        }
    }
    timer = setTimeout(look, wait);
}

function toggle() {
    pause.setAttribute("aria-pressed", String(!isPaused()));
    pause.firstChild.textContent = `${isPaused() ? pause.dataset.resume : pause.dataset.pause} `;
    if (isPaused()) status.textContent = status.dataset.paused;
    else look();
}

for (const [name, value] of new URLSearchParams(location.search)) {
    if (form.elements[name]) form.elements[name].value = value;
}
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => {
    known = null;
    // The filters stay in the address: it can be shared, and a reload keeps them.
    const filters = [...new FormData(form)].filter(([, value]) => value);
    history.replaceState(null, "", filters.length ? `?${new URLSearchParams(filters)}` : location.pathname);
    look();
});
pause.addEventListener("click", toggle);
document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, textarea, select");
    if (event.key === "p" && !isTyping && !event.ctrlKey && !event.metaKey) toggle();
});
document.addEventListener("visibilitychange", look);
look();
