// A view of the bot: a modal or the Home tab. What stands in its fields is kept here, and goes along with everything that the bot
// is told.

import { post } from "./api.js";
import { confirmed } from "./dialog.js";

export class View {
  /** root is what the view is drawn into; while there is none, it may be null. */
  constructor(names, root) {
    this.names = names;
    this.person = "";
    this.view = {};
    this.root = root;
  }

  /** context is what blocks are drawn with; kept is what was typed before. */
  context(kept) {
    const before = new Map(kept.map((k) => [`${k.block_id} ${k.action_id}`, k]));
    const context = { name: (id) => this.names.get(id) ?? id, viewer: this.person };
    context.start = (e, block) => before.get(`${block.block_id} ${e.action_id}`) ?? this.view.state?.[block.block_id]?.[e.action_id];
    context.search = (e, block, query) => post("/client/search", { ...this.place(e, block), query });
    context.press = (node, e, block, values) => this.press(node, e, block, values, context);
    return context;
  }

  place(e, block) {
    return { as: this.person, view: this.view.id, block_id: block.block_id ?? "", action_id: e.action_id ?? "" };
  }

  /** held is what stands in the fields. */
  held() {
    return [...this.root.querySelectorAll("[data-held]")].map((node) => node.read());
  }

  sent() {
    return this.held().map(({ block_id, action_id, values }) => ({ block_id, action_id, values }));
  }

  notice(text) {
    const node = this.root?.querySelector(".notice");
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

  /** tell says in the view what could not be done, unless Slack says something itself. */
  async tell(path, body) {
    const answer = await post(path, body);
    if (!answer.ok && this.view.id === body.view && !this.view.notice) this.notice(answer.error);
  }
}
