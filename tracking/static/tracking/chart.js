// Draws each table with data-chart: its first column is the time (<time datetime>), each further
// column of numbers a line, or a bar of a stack. The table itself stays to be read.
"use strict";

const COLOURS = ["--hs-1", "--hs-2", "--hs-3", "--hs-4", "--hs-5", "--hs-6"];
const charts = [];

function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function read(table) {
    const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
    const rows = [...table.tBodies[0].rows].map((row) => [
        Date.parse(row.cells[0].querySelector("time").dateTime) / 1000,
        ...[...row.cells].slice(1).map((cell) => Number(cell.dataset.value ?? cell.textContent)),
    ]);
    rows.sort((one, other) => one[0] - other[0]);
    return {names, columns: [...names.keys(), names.length].map((at) => rows.map((row) => row[at]))};
}

function stack(columns) {
    const [times, ...values] = columns;
    const sums = times.map(() => 0);
    return [times, ...values.map((column) => column.map((value, row) => (sums[row] += value)))];
}

function options(table, names, width, own) {
    const stacked = table.dataset.chart === "bars";
    const axis = {stroke: colour("--body-quiet-color"), grid: {stroke: colour("--hairline-color"), width: 1}};
    const series = names.map((name, at) => ({
        label: name,
        stroke: colour(COLOURS[at % COLOURS.length]),
        fill: stacked ? colour(COLOURS[at % COLOURS.length]) : undefined,
        width: stacked ? 0 : 2,
        points: {show: false},
        paths: stacked ? uPlot.paths.bars({size: [0.9, 60], gap: 1}) : undefined,
        value: (chart, value, index, row) => (row === null ? "–" : own[index][row].toLocaleString()),
    }));
    return {
        width,
        height: 220,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), table.dataset.zone || "UTC"),
        cursor: {y: false},
        scales: {y: {range: (chart, low, high) => [0, high > 0 ? high * 1.05 : 1]}},
        axes: [axis, {...axis, size: 60, values: (chart, ticks) => ticks.map((tick) => tick.toLocaleString())}],
        series: [{value: "{YYYY}-{MM}-{DD} {HH}:{mm}"}, ...series],
    };
}

// The tallest of a stack is drawn first, so that the others stand before it.
function draw(table) {
    const {names, columns} = read(table);
    if (!columns[0].length) return;
    const place = table.closest("[data-chart-of]") ?? table.parentElement;
    const box = document.createElement("div");
    box.className = "hs-chart";
    box.setAttribute("aria-hidden", "true");
    place.before(box);
    const stacked = table.dataset.chart === "bars";
    const drawn = stacked ? stack(columns) : columns;
    const order = [0, ...(stacked ? [...names.keys()].map((at) => at + 1).reverse() : [...names.keys()].map((at) => at + 1))];
    const plot = options(table, names, box.clientWidth, columns);
    plot.series = order.map((at) => plot.series[at]);
    plot.series.forEach((each, at) => {
        if (at) each.value = (chart, value, index, row) => (row == null ? "–" : columns[order[index]][row].toLocaleString());
    });
    const chart = new uPlot(plot, order.map((at) => drawn[at]), box);
    charts.push({box, chart, table});
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
