// The modal that a person has open: views of the bot, one on top of the other, in a dialog.

import { blocks, textObject } from "./blocks.js";
import { el, fill } from "./dom.js";
import { View } from "./view.js";

export class Modal extends View {
  constructor(names) {
    super(names, null);
    this.corrected = new Set(); // ids of blocks
  }

  /** show brings the dialog in line with what the workspace says that this person has open; without an id that is nothing. */
  show(person, view) {
    const before = this.person === person ? this.view : {};
    this.person = person;
    this.view = view;
    if (!view.id) return this.end();
    if (!this.root) this.begin();
    if (view.id !== before.id || view.hash !== before.hash) this.draw(view.id === before.id ? this.held() : []);
    this.mark();
  }

  begin() {
    this.root = el("dialog", { class: "modal", "aria-labelledby": "modal-title" });
    this.root.addEventListener("cancel", (event) => event.preventDefault());
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // a browser closes a dialog at the second Escape whatever its cancel event says
      this.dismiss();
    });
    document.body.append(this.root);
    this.root.showModal();
  }

  end() {
    this.root?.remove();
    this.root = null;
  }

  /** draw puts the view into the dialog, and what was typed into fields that are still there. */
  draw(kept) {
    const view = this.view;
    this.corrected.clear();
    const focused = kept.length ? document.activeElement?.dataset?.action : null;
    const context = this.context(kept);
    context.changed = (block) => this.changed(block.block_id);
    const close = view.close ? textObject(view.close, context) : "Close";
    fill(this.root, el("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); this.submit(); } },
      el("header", { class: "modal-head" },
        el("h2", { id: "modal-title" }, textObject(view.title, context)),
        el("button", { type: "button", class: "quiet", "aria-label": view.depth > 1 ? "Back" : "Close", onclick: () => this.dismiss() }, view.depth > 1 ? "‹" : "×")),
      el("p", { class: "notice", role: "alert", hidden: true }),
      el("div", { class: "modal-body blocks" }, blocks(view.blocks, context)),
      el("footer", { class: "modal-foot" },
        el("button", { type: "button", onclick: () => this.dismiss() }, close),
        view.submit && el("button", { type: "submit", class: "primary" }, textObject(view.submit, context)))));
    const again = focused && this.root.querySelector(`[data-action="${CSS.escape(focused)}"]`);
    const wanted = again || this.root.querySelector("[autofocus]");
    if (wanted) return wanted.focus();
    const first = this.root.querySelector(".modal-body :is(input, textarea, button)") || this.root.querySelector(".modal-foot :last-child");
    first?.focus({ preventScroll: true }); // a form is read from its beginning
  }

  /** mark shows what is wrong, and what is on its way. */
  mark() {
    const { errors, notice, busy } = this.view;
    this.notice(notice);
    this.root.querySelector(".modal-foot [type=submit]")?.setAttribute("aria-busy", String(busy === true));
    let first = null;
    for (const node of this.root.querySelectorAll("[data-problem]")) {
      const problem = this.corrected.has(node.dataset.problem) ? "" : errors?.[node.dataset.problem] ?? "";
      if (node.textContent === problem) continue;
      node.textContent = problem;
      node.hidden = !problem;
      for (const field of node.parentElement.querySelectorAll("input, textarea, [role=radiogroup], [role=group]")) {
        if (problem) field.setAttribute("aria-invalid", "true");
        else field.removeAttribute("aria-invalid");
        if (problem) first ??= field;
      }
    }
    first?.focus();
    first?.closest(".block").scrollIntoView({ block: "nearest" });
  }

  /** changed takes away what was wrong with a field, until the form is sent again: the workspace does not hear of it before, and may repeat it. */
  changed(block) {
    if (!this.view.errors?.[block] || this.corrected.has(block)) return;
    this.corrected.add(block);
    this.mark();
  }

  submit() {
    if (!this.view.submit || this.view.busy) return;
    this.corrected.clear();
    return this.tell("/client/submit", { as: this.person, view: this.view.id, held: this.sent() });
  }

  dismiss() {
    return this.tell("/client/dismiss", { as: this.person, view: this.view.id });
  }
}
