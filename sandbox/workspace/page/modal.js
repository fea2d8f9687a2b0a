// The modal that a person has open: views of the bot, one on top of the other, in a dialog. What stands in its fields is kept
// here until it is sent, and goes along with everything that the bot is told.

import { post } from "./api.js";
import { blocks, textObject } from "./blocks.js";
import { confirmed } from "./dialog.js";
import { el, fill } from "./dom.js";

export class Modal {
  constructor(names) {
    this.names = names;
    this.person = "";
    this.view = {};
    this.dialog = null;
  }

  /** show brings the dialog in line with what the workspace says that this person has open; without an id that is nothing. */
  show(person, view) {
    const before = this.person === person ? this.view : {};
    this.person = person;
    this.view = view;
    if (!view.id) return this.end();
    if (!this.dialog) this.begin();
    if (view.id !== before.id || view.hash !== before.hash) this.draw(view.id === before.id ? this.held() : []);
    this.mark();
  }

  begin() {
    this.dialog = el("dialog", { class: "modal", "aria-labelledby": "modal-title" });
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // a browser closes a dialog at the second Escape whatever its cancel event says
      this.dismiss();
    });
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  end() {
    this.dialog?.remove();
    this.dialog = null;
  }

  /** draw puts the view into the dialog, and what was typed into fields that are still there. */
  draw(kept) {
    const view = this.view;
    const focused = kept.length ? document.activeElement?.dataset?.action : null;
    const context = this.context(new Map(kept.map((k) => [`${k.block_id} ${k.action_id}`, k])));
    const close = view.close ? textObject(view.close, context) : "Close";
    fill(this.dialog, el("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); this.submit(); } },
      el("header", { class: "modal-head" },
        el("h2", { id: "modal-title" }, textObject(view.title, context)),
        el("button", { type: "button", class: "quiet", "aria-label": view.depth > 1 ? "Back" : "Close", onclick: () => this.dismiss() }, view.depth > 1 ? "‹" : "×")),
      el("p", { class: "notice", role: "alert", hidden: true }),
      el("div", { class: "modal-body blocks" }, blocks(view.blocks, context)),
      el("footer", { class: "modal-foot" },
        el("button", { type: "button", onclick: () => this.dismiss() }, close),
        view.submit && el("button", { type: "submit", class: "primary" }, textObject(view.submit, context)))));
    const again = focused && this.dialog.querySelector(`[data-action="${CSS.escape(focused)}"]`);
    (again || this.dialog.querySelector("[autofocus]") || this.dialog.querySelector(".modal-body :is(input, textarea, button)") || this.dialog.querySelector(".modal-foot :last-child"))?.focus();
  }

  context(kept) {
    const context = { name: (id) => this.names.get(id) ?? id, viewer: this.person };
    context.start = (e, block) => kept.get(`${block.block_id} ${e.action_id}`) ?? this.view.state?.[block.block_id]?.[e.action_id];
    context.search = (e, block, query) => post("/client/search", { ...this.place(e, block), query });
    context.press = (node, e, block, values) => this.press(node, e, block, values, context);
    return context;
  }

  place(e, block) {
    return { as: this.person, view: this.view.id, block_id: block.block_id ?? "", action_id: e.action_id ?? "" };
  }

  /** held is what stands in the fields. */
  held() {
    return [...this.dialog.querySelectorAll("[data-held]")].map((node) => node.read());
  }

  sent() {
    return this.held().map(({ block_id, action_id, values }) => ({ block_id, action_id, values }));
  }

  /** mark shows what is wrong, and what is on its way. */
  mark() {
    const { errors, notice, busy } = this.view;
    this.notice(notice);
    this.dialog.querySelector(".modal-foot [type=submit]")?.setAttribute("aria-busy", String(busy === true));
    let first = null;
    for (const node of this.dialog.querySelectorAll("[data-problem]")) {
      const problem = errors?.[node.dataset.problem] ?? "";
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

  notice(text) {
    const node = this.dialog?.querySelector(".notice");
    if (!node) return;
    node.hidden = !text;
    if (node.textContent !== (text ?? "")) node.textContent = text ?? "";
    if (text) node.scrollIntoView({ block: "nearest" });
  }

  async press(node, e, block, values, context) {
    if (node.getAttribute("aria-busy") === "true") return;
    if (e.confirm && !(await confirmed(e.confirm, context))) return;
    node.setAttribute("aria-busy", "true");
    await this.tell("/client/press", { ...this.place(e, block), values: values ?? [], held: this.sent() });
    node.removeAttribute("aria-busy");
  }

  submit() {
    if (!this.view.submit || this.view.busy) return;
    return this.tell("/client/submit", { as: this.person, view: this.view.id, held: this.sent() });
  }

  dismiss() {
    return this.tell("/client/dismiss", { as: this.person, view: this.view.id });
  }

  /** tell says in the dialog what could not be done, unless Slack says something itself. */
  async tell(path, body) {
    const answer = await post(path, body);
    if (!answer.ok && this.view.id === body.view && !this.view.notice) this.notice(answer.error);
  }
}
