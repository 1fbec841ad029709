// Draws a chart for each table with data-chart: the first column is the time (<time datetime>), each
// further column of numbers is a line, or a bar of a stack. The table stays, for reading.
"use strict";

const charts = [];

// The colour of a column: data-colour of its head, 1 to 6, else by its position.
function colourOf(head, at) {
    return colour(`--hs-${head.dataset.colour ?? (at % 6) + 1}`);
}

function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function read(table) {
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const rows = [...table.tBodies[0].rows].map((row) => [
        Date.parse(row.cells[0].querySelector("time").dateTime) / 1000,
        ...[...row.cells].slice(1).map((cell) => Number(cell.dataset.value ?? cell.textContent)),
    ]);
    rows.sort((one, other) => one[0] - other[0]);
    return {heads, columns: [null, ...heads].map((head, at) => rows.map((row) => row[at]))};
}

function stack([times, ...values]) {
    const sums = times.map(() => 0);
    return [times, ...values.map((column) => column.map((value, row) => (sums[row] += value)))];
}

function seriesOf(head, at, column, isStacked) {
    const own = colourOf(head, at);
    return {
        label: head.textContent.trim(),
        stroke: own,
        fill: isStacked ? own : undefined,
        width: isStacked ? 0 : 2,
        points: {show: false},
        paths: isStacked ? uPlot.paths.bars({size: [0.9, 60], gap: 1}) : undefined,
        // The value in the table, not the height in the stack.
        value: (chart, value, index, row) => (row == null ? "–" : column[row].toLocaleString()),
    };
}

// The width of an axis with these labels, in pixels.
function room(chart, labels) {
    return 24 + 8 * Math.max(2, ...(labels ?? []).map((label) => label.length));
}

// Steps of an axis of days are whole days, whatever the width.
const DAYS = [1, 2, 7, 14, 28, 84, 365].map((days) => days * 86400);

// Seconds between one row and the next.
function stepOf(times) {
    return Math.min(...times.slice(1).map((time, at) => time - times[at]), 86400);
}

function axes(zone, step) {
    const axis = {stroke: colour("--body-quiet-color"), grid: {stroke: colour("--hairline-color"), width: 1}};
    // The Swedish format of hours and the Canadian one of days are those of the pages.
    const hour = new Intl.DateTimeFormat("sv-SE", {timeZone: zone, hour: "2-digit", minute: "2-digit"});
    const day = new Intl.DateTimeFormat("en-CA", {timeZone: zone, month: "2-digit", day: "2-digit"});
    const times = (chart, ticks, place, space, step) => {
        let before = "";
        return ticks.map((tick) => {
            const date = day.format(tick * 1000);
            const isNew = date !== before;
            before = date;
            return step >= 86400 ? date : `${hour.format(tick * 1000)}${isNew ? `\n${date}` : ""}`;
        });
    };
    const numbers = (chart, ticks) => ticks.map((tick) => tick.toLocaleString());
    // Twice a year a day is an hour shorter or longer.
    const incrs = step > 80000 ? DAYS : undefined;
    return [{...axis, incrs, values: times}, {...axis, size: room, incrs: WHOLE, values: numbers}];
}

// Steps of an axis of counts: whole numbers only.
const WHOLE = [1, 2, 5].flatMap((step) => [...Array(13).keys()].map((power) => step * 10 ** power)).sort((one, other) => one - other);

// Draws the tallest bars of a stack first, so that the others are in front of them.
function draw(table) {
    const {heads, columns} = read(table);
    if (!columns[0].length) return;
    const zone = table.dataset.zone || "UTC";
    const isStacked = table.dataset.chart === "bars";
    const box = document.createElement("div");
    box.className = "hs-chart";
    box.setAttribute("aria-hidden", "true");
    (table.closest("[data-chart-of]") ?? table.parentElement).before(box);
    const places = isStacked ? [...heads.keys()].reverse() : [...heads.keys()];
    const drawn = isStacked ? stack(columns) : columns;
    const step = stepOf(columns[0]);
    const half = isStacked ? step / 2 : 0;
    const options = {
        width: box.clientWidth,
        height: 220,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
        cursor: {y: false},
        scales: {x: {range: (chart, low, high) => [low - half, high + half]}, y: {range: (chart, low, high) => [0, high > 0 ? high * 1.05 : 1]}},
        axes: axes(zone, step),
        series: [
            {label: table.dataset.time, value: "{YYYY}-{MM}-{DD} {HH}:{mm}"},
            ...places.map((at) => seriesOf(heads[at], at, columns[at + 1], isStacked)),
        ],
    };
    const chart = new uPlot(options, [drawn[0], ...places.map((at) => drawn[at + 1])], box);
    charts.push({box, chart});
}

function drawAll() {
    for (const {box, chart} of charts.splice(0)) {
        chart.destroy();
        box.remove();
    }
    document.querySelectorAll("table[data-chart]").forEach(draw);
}

new ResizeObserver(() => {
    for (const {box, chart} of charts) {
        if (box.clientWidth && box.clientWidth !== chart.width) chart.setSize({width: box.clientWidth, height: chart.height});
    }
}).observe(document.getElementById("content"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
new MutationObserver(drawAll).observe(document.documentElement, {attributeFilter: ["data-theme"]});
drawAll();
