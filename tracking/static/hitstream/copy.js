"use strict";
document.querySelectorAll("[data-copy]").forEach((button) => {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = button.dataset.copied;
    } catch {
      // Without TLS browsers give no clipboard: select the text, so that one key copies it.
      getSelection().selectAllChildren(code);
      button.textContent = button.dataset.selected;
    }
  });
});
