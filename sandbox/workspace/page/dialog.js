// The confirmation dialog of a button, and the line for what could not be done.

import { el } from "./dom.js";
import { textObject } from "./blocks.js";

/**
 * confirmed asks what the button's confirm object says, and is true when it was accepted. Escape declines. Each question has a
 * dialog of its own, so that the end of one is never taken for the end of the next.
 */
export function confirmed(confirm, context) {
  const style = confirm.style === "danger" ? "danger" : "primary";
  const dialog = el("dialog", { class: "confirm", "aria-labelledby": "confirm-title" },
    el("form", { method: "dialog" },
      el("h2", { id: "confirm-title" }, textObject(confirm.title, context)),
      el("div", { class: "question" }, textObject(confirm.text, context)),
      el("div", { class: "choices" },
        el("button", { type: "submit", value: "no", autofocus: true }, textObject(confirm.deny, context)),
        el("button", { type: "submit", value: "yes", class: style }, textObject(confirm.confirm, context)))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

let hiding = 0;

/** toast says why something was not done, for a while. */
export function toast(text) {
  const node = document.getElementById("toast");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { node.hidden = true; }, 6000);
}
