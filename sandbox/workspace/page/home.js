// The Home tab: what the app shows to one person, in the place of the channel.

import { blocks } from "./blocks.js";
import { el, fill } from "./dom.js";
import { View } from "./view.js";

export class Home extends View {
  constructor(names) {
    super(names, document.getElementById("home"));
  }

  /** show brings the tab in line with what the workspace says; without a hash the app has published nothing. */
  show(person, view) {
    const before = this.person === person ? this.view : {};
    this.person = person;
    this.view = view;
    if (view.id !== before.id || view.hash !== before.hash) this.draw(view.id === before.id ? this.held() : []);
    this.notice(view.notice);
  }

  draw(kept) {
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    fill(this.root,
      el("p", { class: "notice", role: "alert", hidden: true }),
      this.view.hash ? el("div", { class: "blocks" }, blocks(this.view.blocks, this.context(kept))) : el("p", { class: "none" }, "The app has published nothing here yet."));
    if (focused) this.root.querySelector(`[data-action="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}
