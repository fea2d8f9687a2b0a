// One thread, beside the channel or over it on a phone: the message, its replies, and a field for another.

import { post } from "./api.js";
import { toast } from "./dialog.js";
import { el, fill } from "./dom.js";

export class Thread {
  /** article draws a message; thread gives the message of a ts and its replies. */
  constructor(channel) {
    this.channel = channel;
    this.panel = document.getElementById("thread");
    this.ts = "";
    this.state = "";
    this.before = null; // where the focus was
    this.messages = el("div", { class: "thread-messages", role: "log", "aria-label": "Replies" });
    this.input = el("input", { id: "reply", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", enterkeyhint: "send", maxlength: "3000", placeholder: "Reply…" });
    fill(this.panel,
      el("header", { class: "bar" }, el("h2", {}, "Thread"), el("button", { type: "button", class: "quiet close", "aria-label": "Close the thread", onclick: () => this.close() }, "×")),
      this.messages,
      el("form", { class: "composer", onsubmit: (e) => { e.preventDefault(); this.send(); } },
        el("div", { class: "field" }, el("label", { for: "reply", class: "hidden-label" }, "Reply"), this.input, el("button", { type: "submit", class: "primary" }, "Send"))));
    this.panel.addEventListener("keydown", (e) => { if (e.key === "Escape" && !e.defaultPrevented) this.close(); });
  }

  open(ts) {
    this.before = document.activeElement?.dataset.action;
    this.ts = ts;
    this.state = "";
    this.panel.hidden = false;
    this.draw();
    this.input.focus();
  }

  close() {
    if (this.panel.hidden) return;
    this.panel.hidden = true;
    const message = document.querySelector(`#messages [data-ts="${CSS.escape(this.ts)}"]`);
    this.ts = "";
    (message?.querySelector(`[data-action="${CSS.escape(this.before ?? "")}"]`) ?? document.getElementById("say")).focus();
  }

  /** draw follows the channel. */
  draw() {
    if (!this.ts) return;
    const parent = this.channel.messages.get(this.ts);
    if (!parent) return this.close(); // deleted, or not this person's
    const replies = this.channel.replies(parent);
    const state = JSON.stringify([this.channel.viewer, parent, replies]);
    if (state === this.state) return;
    this.state = state;
    const atEnd = this.messages.scrollHeight - this.messages.scrollTop - this.messages.clientHeight < 80;
    const said = replies.filter((r) => !r.is_ephemeral).length;
    fill(this.messages, this.channel.article(parent, []), said > 0 && el("p", { class: "count" }, count(said)), replies.map((r) => this.channel.article(r, [])));
    if (atEnd) this.messages.scrollTop = this.messages.scrollHeight;
  }

  async send() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    const answer = await post("/client/type", { as: this.channel.viewer, text, thread: this.ts });
    // What Slack itself has to say about a command stands in the thread.
    if (!answer.ok && !text.startsWith("/")) toast(answer.error);
  }
}

/** count words a number of replies. */
export function count(n) {
  return `${n} ${n === 1 ? "reply" : "replies"}`;
}
