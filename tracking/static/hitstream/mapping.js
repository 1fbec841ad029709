"use strict";
// Previews the mapping on the last hits beside its fields, while the operator types.
(() => {
  const fieldset = document.querySelector("fieldset.hs-mapping");
  if (!fieldset) return;
  const form = fieldset.closest("form");
  const panel = document.createElement("div");
  panel.className = "hs-last-hits";
  panel.setAttribute("aria-live", "polite");
  const folded = fieldset.querySelector("details");
  (folded || fieldset).append(panel);
  const { url, ...texts } = document.getElementById("hs-mapping").dataset;

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const lines = (value) => JSON.stringify(value, null, 2).split("\n");
  const code = (own, other) => {
    const pre = element("pre");
    // The line without its trailing comma, which depends on the next line.
    const bare = (line) => line.replace(/,$/, "");
    const known = new Set(other.map(bare));
    for (const line of own) {
      const shown = known.has(bare(line)) ? document.createTextNode(line) : element("mark", line);
      pre.append(shown, "\n");
    }
    return pre;
  };
  const show = (hit) => {
    const details = element("details");
    const summary = element("summary");
    const [word, colour] = hit.after
      ? [texts.sent, "good"]
      : hit.skipped ? [texts.skipped, "off"] : hit.failed ? [texts.failed, "bad"] : ["", ""];
    if (word) summary.append(element("span", word, `hs-pill hs-${colour}`), " ");
    const name = hit.after ? hit.after.name || hit.after.type : hit.name;
    summary.append(name === hit.name ? name : `${hit.name} → ${name}`);
    const why = hit.skipped || hit.failed;
    if (why) summary.append(" ", element("span", why, "quiet"));
    details.append(summary);
    const before = lines(hit.before);
    const after = hit.after ? lines(hit.after) : before;
    const columns = element("div", "", "hs-columns");
    const left = element("section");
    left.append(element("h4", texts.before), code(before, after));
    columns.append(left);
    if (hit.after) {
      const right = element("section");
      right.append(element("h4", texts.after), code(after, before));
      columns.append(right);
    }
    details.append(columns);
    return details;
  };

  let opened = new Set();
  let requests = 0;
  const preview = async () => {
    if (folded && !folded.open) return;
    const mine = ++requests;
    const data = new FormData(form);
    // These fields may hold secrets, and the preview does not need them.
    for (const name of [...data.keys()]) if (name.startsWith("config-")) data.delete(name);
    if (!data.get("token")) data.set("token", form.querySelector("[name=token]")?.value || "");
    if (!data.get("token")) return panel.replaceChildren(element("p", texts.choose, "quiet"));
    let answer;
    try {
      answer = await fetch(url, { method: "POST", body: data });
    } catch {
      return;
    }
    if (mine !== requests) return;
    // Too many previews at once.
    if (answer.status === 503) return soon();
    if (!answer.ok) return;
    const { title, errors, hits } = await answer.json();
    opened = new Set([...panel.querySelectorAll("details[open]")].map((each) => each.dataset.id));
    panel.replaceChildren(element("h3", title));
    for (const [name, messages] of Object.entries(errors))
      for (const message of messages) {
        const label = form.querySelector(`label[for="id_${name}"]`)?.textContent || "";
        panel.append(element("p", `${label} ${message}`, "errornote"));
      }
    for (const hit of hits) {
      const details = show(hit);
      details.dataset.id = hit.id;
      details.open = opened.has(hit.id);
      panel.append(details);
    }
  };

  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(preview, 300);
  };
  fieldset.addEventListener("input", soon);
  form.querySelector("[name=token]")?.addEventListener("change", soon);
  folded?.addEventListener("toggle", preview);
  preview();
})();
