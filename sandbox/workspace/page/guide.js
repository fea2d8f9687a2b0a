// The first run in steps. What happened in the channel says how far it is; that it was closed is remembered besides.

import { el, fill } from "./dom.js";

export class Guide {
  constructor(hints, { propose, become }) {
    this.hints = hints ?? [];
    this.propose = propose;
    this.become = become;
    this.node = document.getElementById("guide");
    this.closed = localStorage.getItem("guide") === "closed";
    this.shown = "";
  }

  /** update shows the step that is next. texts are those of the channel. */
  update(texts, viewer) {
    const done = this.hints.map((h) => (h.until?.length ? h.until.some((u) => texts.some((t) => t.includes(u))) : h.as === viewer));
    const step = done.lastIndexOf(true) + 1 === this.hints.length ? -1 : firstOpen(this.hints, done);
    this.node.hidden = this.closed || step < 0;
    const state = `${step} ${viewer} ${this.node.hidden}`;
    if (state === this.shown) return;
    this.shown = state;
    if (!this.node.hidden) this.draw(step, viewer);
  }

  draw(step, viewer) {
    fill(this.node,
      el("ol", {}, this.hints.map((hint, i) => el("li", { class: i < step ? "done" : i === step ? "now" : "later", "aria-current": i === step ? "step" : null },
        el("span", { class: "sign", "aria-hidden": "true" }, i < step ? "✓" : String(i + 1)),
        el("span", {}, hint.text, i < step && el("span", { class: "hidden-label" }, " (done)")),
        i === step && this.helper(hint, viewer)))),
      el("button", { type: "button", class: "quiet", "aria-label": "Close the first run", onclick: () => this.close() }, "×"));
  }

  helper(hint, viewer) {
    if (hint.type) {
      return el("button", { type: "button", onclick: () => { if (hint.as && hint.as !== viewer) this.become(hint.as); this.propose(hint.type); } }, "Fill in");
    }
    return hint.as && el("button", { type: "button", onclick: () => this.become(hint.as) }, "Switch");
  }

  close() {
    this.closed = true;
    localStorage.setItem("guide", "closed");
    this.node.hidden = true;
  }
}

/** firstOpen is the first step after the last one that messages show to be done. */
function firstOpen(hints, done) {
  const proved = hints.reduce((last, h, i) => (h.until?.length && done[i] ? i : last), -1);
  for (let i = proved + 1; i < hints.length; i++) if (!done[i]) return i;
  return -1;
}
