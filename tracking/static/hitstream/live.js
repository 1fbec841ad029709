// The latest hits, fetched every second while the page is visible. All text is inserted as text. Rows
// stay as long as their hits are shown: focus, selection and the panel at the side are kept.
"use strict";

const table = document.getElementById("hs-live");
const form = document.getElementById("hs-live-filters");
const status = document.getElementById("hs-live-status");
const pause = document.getElementById("hs-live-pause");
const panel = document.getElementById("hs-panel");
const tokens = new Map([...form.elements.token.options].map((each) => [each.value, each.textContent]));
const labels = Object.fromEntries([...form.elements.outcome.options].map((each) => [each.value, each.textContent]));
// The worst first.
const STATES = {dead: ["bad", "✕"], retrying: ["paused", "↻"], queued: ["off", "…"], skipped: ["off", "–"], delivered: ["good", "✓"]};
const ROUTES = 3;
const EMPTY = "00000000-0000-0000-0000-000000000000";
const clock = new Intl.DateTimeFormat("sv-SE", {
    timeZone: table.dataset.zone, hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});
const day = new Intl.DateTimeFormat("en-CA", {timeZone: table.dataset.zone, dateStyle: "short"});
let known = null;
let timer = 0;
let edited = null;

function make(name, className, ...content) {
    const element = document.createElement(name);
    element.className = className;
    element.append(...content);
    return element;
}

function rank(state) {
    const place = Object.keys(STATES).indexOf(state);
    return place < 0 ? 99 : place;
}

function outcome(states) {
    const counts = Object.entries(states).sort(([one], [other]) => rank(one) - rank(other));
    if (!counts.length) return [make("span", "hs-pill hs-off", labels.nowhere.toLowerCase())];
    return counts.flatMap(([state, count]) => {
        const text = (labels[state] ?? state).toLowerCase();
        return [make("span", `hs-pill hs-${STATES[state]?.[0] ?? "off"}`, count > 1 ? `${count} ${text}` : text), " "];
    });
}

function integrations(routes) {
    const sorted = [...routes].sort(([, one], [, other]) => rank(one) - rank(other));
    const shown = sorted.slice(0, ROUTES).map(([name, state]) => {
        const [colour, sign] = STATES[state] ?? ["off", "…"];
        const label = labels[state] ?? state;
        const mark = make("span", `hs-sign hs-${colour}`, sign);
        mark.setAttribute("aria-hidden", "true");
        const route = make("span", "hs-route", mark, make("bdi", "", name), make("span", "visually-hidden", `: ${label}`));
        route.title = `${name}: ${label}`;
        return route;
    });
    if (sorted.length <= ROUTES) return shown;
    const rest = make("span", "hs-route quiet", `+${sorted.length - ROUTES}`);
    rest.title = sorted.slice(ROUTES).map(([name, state]) => `${name}: ${labels[state] ?? state}`).join("\n");
    return [...shown, rest];
}

function time(hit) {
    const at = new Date(hit.at);
    const element = document.createElement("time");
    const isToday = day.format(at) === day.format(new Date());
    const moment = clock.format(at).replace(",", ".");
    element.dateTime = at.toISOString();
    element.textContent = isToday ? moment : `${day.format(at)} ${moment}`;
    element.title = `${day.format(at)} ${moment} ${table.dataset.zone}`;
    return element;
}

function link(hit) {
    const element = make("a", "", hit.event || hit.type);
    element.href = table.dataset.hit.replace(EMPTY, hit.id);
    element.dataset.row = "";
    element.dataset.peek = table.dataset.peek.replace(EMPTY, hit.id);
    return element;
}

function row(hit) {
    const element = document.createElement("tr");
    const cells = [
        ["hs-when", time(hit)], ["hs-live-event", link(hit)], ["hs-live-outcome"], ["hs-live-routes"],
        ["hs-live-user", make("bdi", "", hit.user || hit.anonymous)], ["hs-live-token", tokens.get(String(hit.token)) ?? ""],
    ];
    element.append(...cells.map(([className, ...content]) => make("td", className, ...content)));
    element.dataset.id = hit.id;
    element.classList.toggle("hs-test", hit.test);
    if (hit.test) element.title = table.dataset.test;
    element.classList.toggle("hs-new", Boolean(known) && !known.has(hit.id));
    return element;
}

// Writes what became of the hit into its row, if it is not what the row shows.
function renew(element, hit) {
    const routes = JSON.stringify(hit.routes);
    if (element.dataset.routes === routes) return element;
    const isOpen = element.dataset.routes !== undefined && window.hsRows?.isOpen(hit.id);
    element.dataset.routes = routes;
    element.querySelector(".hs-live-outcome").replaceChildren(...outcome(hit.states));
    element.querySelector(".hs-live-routes").replaceChildren(...integrations(hit.routes));
    if (isOpen) panel.dispatchEvent(new Event("hs:changed"));
    return element;
}

function show(answer) {
    const body = table.tBodies[0];
    const present = new Map([...body.rows].map((each) => [each.dataset.id, each]));
    const wanted = answer.hits.map((hit) => renew(present.get(hit.id) ?? row(hit), hit));
    const kept = new Set(wanted);
    const focused = document.activeElement?.closest?.("#hs-live tr");
    if (focused && !kept.has(focused)) wanted.at(-1)?.querySelector("a").focus();
    for (const each of [...body.rows]) if (!kept.has(each)) each.remove();
    wanted.forEach((each, at) => { if (body.rows[at] !== each) body.insertBefore(each, body.rows[at] ?? null); });
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

function applyAddress() {
    const wanted = new URLSearchParams(location.search);
    for (const field of form.elements) if (field.name) field.value = wanted.get(field.name) ?? "";
}

// The filters are in the address: it can be shared, and the browser goes back to the ones before.
function keepAddress(isSame) {
    const filters = [...new FormData(form)].filter(([, value]) => value);
    const address = filters.length ? `?${new URLSearchParams(filters)}` : location.pathname;
    if (isSame) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", (event) => {
    known = null;
    // The letters of one text are one step.
    keepAddress(edited === event.target);
    edited = event.target.matches("input") ? event.target : null;
    look();
});
form.addEventListener("change", () => { edited = null; });
window.addEventListener("popstate", () => {
    applyAddress();
    known = null;
    look();
});
pause.addEventListener("click", toggle);
document.addEventListener("keydown", (event) => {
    const isField = event.target.matches("input, textarea, select");
    if (event.key === "p" && !isField && !event.ctrlKey && !event.metaKey) toggle();
});
document.addEventListener("visibilitychange", look);
applyAddress();
look();
