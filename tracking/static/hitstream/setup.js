"use strict";
// Filters the destinations while one types, and shows the result of a test connection in its page.
(() => {
  const find = document.getElementById("hs-find");
  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const group of document.querySelectorAll(".hs-group")) {
      let shown = 0;
      for (const item of group.querySelectorAll("[data-text]")) {
        const text = item.dataset.text.toLowerCase();
        item.hidden = !words.every((word) => text.includes(word));
        shown += !item.hidden;
      }
      group.hidden = !shown;
      count += shown;
    }
    document.getElementById("hs-none").hidden = count > 0;
  };
  find?.addEventListener("input", filter);

  const test = document.querySelector("button[name=_test]");
  const panel = document.getElementById("hs-trial");
  test?.addEventListener("click", async (event) => {
    event.preventDefault();
    const data = new FormData(test.form);
    data.set("_test", "part");
    const label = test.textContent;
    test.textContent = test.dataset.busy;
    test.disabled = true;
    try {
      const answer = await fetch(location.href, { method: "POST", body: data });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      panel.innerHTML = await answer.text();
    } catch {
      panel.textContent = test.dataset.failed;
    }
    test.textContent = label;
    test.disabled = false;
    panel.scrollIntoView({ block: "nearest" });
  });
})();
