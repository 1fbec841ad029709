// Keeps relative times current: in the text of <time data-time="relative">, in the title of an exact one.
"use strict";

{
    const form = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined, {numeric: "always"});
    const now = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined, {numeric: "auto"});
    const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
    const RECENT = 7 * 86400;

    const relative = (moment) => {
        const seconds = (moment - Date.now()) / 1000;
        if (Math.abs(seconds) > RECENT) return null;
        const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? [null, 0];
        return unit ? form.format(Math.trunc(seconds / size), unit) : now.format(0, "second");
    };

    const refresh = (root) => {
        for (const element of root.querySelectorAll("time[data-time=relative], time[data-time=exact]")) {
            const text = relative(new Date(element.dateTime));
            if (text === null) continue;
            if (element.dataset.time === "exact") element.title = text;
            else if (element.textContent !== text) element.textContent = text;
        }
    };

    setInterval(() => { if (!document.hidden) refresh(document); }, 30000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(document); });
    document.addEventListener("hs:shown", (event) => refresh(event.target));
    window.hsTimes = {relative};
}
