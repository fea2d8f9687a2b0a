// The channel: what one person sees of it, drawn from the messages as the workspace sent them.

import { post } from "./api.js";
import { blocks } from "./blocks.js";
import { date, exact, ofTS } from "./dates.js";
import { confirmed, toast } from "./dialog.js";
import { el, fill, setText } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { shortcuts } from "./shortcuts.js";
import { count } from "./thread.js";

const nearEnd = 80; // pixels from the end at which the reader follows what is new

export class Channel {
  /** about is what the workspace says of itself; onChange is called after each change, onThread with the ts of a thread to open. */
  constructor(about, onChange, onThread) {
    this.names = new Map([...about.people.map((p) => [p.id, p.name]), [about.channel.id, about.channel.name]]);
    this.people = new Map(about.people.map((p, i) => [p.id, { ...p, tone: p.is_app ? "app" : i }]));
    this.onChange = onChange;
    this.onThread = onThread;
    this.shortcuts = about.shortcuts.filter((s) => s.type === "message");
    this.list = document.getElementById("messages");
    this.scroller = document.getElementById("scroll");
    this.newer = document.getElementById("newer");
    this.viewer = "";
    this.messages = new Map(); // by ts
    this.pins = new Map(); // by ts
    this.newer.addEventListener("click", () => this.toEnd());
    this.following = true;
    this.scroller.addEventListener("scroll", () => {
      this.following = this.atEnd();
      if (this.following) this.newer.hidden = true;
    });
    // Who reads the end goes on reading it when the place for it changes, or what is in it.
    const sizes = new ResizeObserver(() => { if (this.following) this.toEnd(); });
    sizes.observe(this.scroller);
    sizes.observe(this.list);
  }

  /** reset shows what another person sees, or starts over. */
  reset(viewer, messages) {
    if (viewer !== this.viewer) {
      this.list.replaceChildren();
      this.following = true;
    }
    this.viewer = viewer;
    this.messages = new Map(messages.map((m) => [m.ts, m]));
    for (const node of [...this.list.children]) if (!this.messages.has(node.dataset.ts)) node.remove();
    this.draw();
    if (this.following) this.toEnd();
  }

  put(message) {
    const fresh = !this.messages.has(message.ts);
    this.messages.set(message.ts, message);
    this.draw();
    if (this.following) this.toEnd();
    else if (fresh) this.newer.hidden = false;
  }

  drop(ts) {
    this.messages.delete(ts);
    this.list.querySelector(`[data-ts="${CSS.escape(ts)}"]`)?.remove();
    this.draw();
  }

  /** place shows the topic and what is pinned. */
  showPlace({ topic, pins }) {
    const said = document.getElementById("topic");
    setText(said, topic);
    said.title = topic;
    said.hidden = !topic;
    this.pins = new Map(pins.map((p) => [p.ts, p]));
    const list = document.getElementById("pins");
    list.hidden = !pins.length;
    fill(list, el("summary", {}, `${pins.length} pinned`), el("ul", {}, pins.map((p) => el("li", {}, el("button", {
      type: "button", onclick: () => { list.open = false; this.goTo(p.ts); },
    }, p.says)))));
    this.draw();
  }

  goTo(ts) {
    this.following = false;
    this.list.querySelector(`[data-ts="${CSS.escape(ts)}"]`)?.scrollIntoView({ block: "center" });
  }

  atEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < nearEnd;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.newer.hidden = true;
  }

  /** draw brings the list in line with the messages; what did not change is not touched. */
  draw() {
    const shown = [...this.messages.values()].filter((m) => !m.thread_ts || m.reply_broadcast).sort((a, b) => (a.ts < b.ts ? -1 : 1));
    let at = this.list.firstElementChild;
    for (const message of shown) {
      const replies = this.replies(message);
      const state = JSON.stringify([message, replies, this.pins.has(message.ts)]);
      while (at && at.dataset.ts < message.ts) at = at.nextElementSibling;
      if (at?.dataset.ts !== message.ts) {
        const node = el("li", { "data-ts": message.ts });
        this.list.insertBefore(node, at);
        at = node;
      }
      if (at.state !== state) {
        at.state = state;
        keepFocus(at, () => fill(at, this.article(message, replies)));
      }
      at = at.nextElementSibling;
    }
    this.onChange();
  }

  replies(message) {
    return [...this.messages.values()].filter((m) => m.thread_ts === message.ts).sort((a, b) => (a.ts < b.ts ? -1 : 1));
  }

  article(message, replies) {
    const author = this.people.get(message.user) ?? { name: message.user, tone: 0 };
    const seconds = ofTS(message.ts);
    const kind = message.is_ephemeral ? "ephemeral" : message.subtype ? "system" : "";
    return el("article", { class: `message ${kind}`, "aria-label": `${author.name}` },
      avatar(author),
      el("div", { class: "body" },
        message.is_ephemeral && el("p", { class: "private" }, "Only visible to you"),
        this.pins.has(message.ts) && el("p", { class: "private" }, `Pinned by ${this.pins.get(message.ts).by}`),
        el("p", { class: "byline" },
          el("b", {}, author.name), author.is_app && el("span", { class: "app" }, "APP"),
          el("time", { title: exact(seconds) }, date(seconds, "{time}", "")),
          message.edited && el("span", { class: "edited" }, "(edited)"),
          !message.is_ephemeral && !message.thread_ts && this.replyButton(message),
          !message.is_ephemeral && shortcuts(this.shortcuts, "Shortcuts for this message", () => this.viewer, message.ts)),
        message.thread_ts && message.reply_broadcast && el("p", { class: "edited" }, "replied in a thread"),
        this.content(message),
        (message.files ?? []).map((f) => el("a", { class: "file", href: `/client/file/${encodeURIComponent(f.id)}?as=${encodeURIComponent(this.viewer)}`, download: f.name },
          el("b", {}, f.title), el("small", {}, `${f.size.toLocaleString("en")} bytes`))),
        replies.length > 0 && this.thread(message, replies)));
  }

  content(message) {
    const context = { name: (id) => this.names.get(id) ?? id, viewer: this.viewer };
    context.press = (node, element, block, values) => this.press(message, node, element, block, context, values);
    context.search = (element, block, query) => post("/client/search", { ...this.place(message, element, block), query });
    if (Array.isArray(message.blocks) && message.blocks.length) return el("div", { class: "blocks" }, blocks(message.blocks, context));
    if (!message.text) return null;
    return el("div", { class: "blocks" }, el("div", { class: "text" }, mrkdwn(message.text, context)));
  }

  replyButton(message) {
    return el("button", { type: "button", class: "reply", "data-action": "reply", "aria-label": "Reply in thread", onclick: () => this.onThread(message.ts) }, "Reply");
  }

  thread(message, replies) {
    const said = replies.filter((r) => !r.is_ephemeral).length;
    return said > 0 && el("button", { type: "button", class: "replies", "data-action": "thread", onclick: () => this.onThread(message.ts) }, count(said));
  }

  /** press tells the bot, after the dialog if the element has one. While that is on its way the element takes no other. */
  async press(message, node, element, block, context, values) {
    if (node.getAttribute("aria-busy") === "true") return;
    const place = this.place(message, element, block);
    if (element.confirm && !(await confirmed(element.confirm, context))) return;
    node.setAttribute("aria-busy", "true");
    const answer = await post("/client/press", { ...place, values: values ?? [] });
    node.removeAttribute("aria-busy");
    if (!answer.ok) toast(answer.error);
  }

  place(message, element, block) {
    return { as: this.viewer, ts: message.ts, block_id: block.block_id ?? "", action_id: element.action_id ?? "" };
  }

  /** texts are the fallback texts and blocks of what is there, for the guide and for completion. */
  texts() {
    return [...this.messages.values()].map((m) => `${m.text} ${JSON.stringify(m.blocks ?? [])}`);
  }
}

/** avatar is made of initials. */
export function avatar(person) {
  return el("span", { class: `avatar tone-${person.tone}`, "aria-hidden": "true" }, (person.real_name || person.name).split(" ").map((w) => w[0]).join("").slice(0, 2));
}

/** keepFocus puts the focus back on the same control when redraw replaced it. */
function keepFocus(node, redraw) {
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  redraw();
  if (focused) node.querySelector(`[data-action="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
