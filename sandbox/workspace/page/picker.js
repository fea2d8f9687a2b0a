// A select that is searched by typing, and the menu behind "…". Both are used by keyboard as by pointer.

import { el, fill } from "./dom.js";
import { withEmoji } from "./emoji.js";

const pause = 250; // milliseconds without typing, after which the bot is asked
const list = (value) => (Array.isArray(value) ? value : []);
const label = (o) => withEmoji(String(o?.text?.text ?? ""));
let made = 0;

/** picker draws a static or external select, also of several. chosen are the options that stand in it; onChange is called after another choice. */
export function picker(e, block, chosen, context, onChange) {
  if (e.type.startsWith("multi_")) return new MultiPicker(e, block, chosen, context, onChange).node;
  return new Picker(e, block, chosen[0], context, onChange).node;
}

class Picker {
  constructor(e, block, chosen, context, onChange) {
    Object.assign(this, { e, block, chosen, context, onChange, at: -1, offered: [], asked: 0 });
    const id = `picker-${++made}`;
    this.list = el("ul", { role: "listbox", id, class: "picks", hidden: true, "aria-label": e.placeholder?.text ?? "Options" });
    this.input = el("input", {
      type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
      placeholder: e.placeholder?.text ?? "Select an option", "aria-label": block.type === "input" ? null : e.placeholder?.text ?? "Select an option", "data-action": e.action_id,
      onfocus: () => this.input.select(), onclick: () => this.open(""), oninput: () => this.open(this.input.value), onblur: () => released(() => this.left()), onkeydown: (event) => this.key(event),
      onkeypress: (event) => { if (event.key === "Enter") event.preventDefault(); }, // it may come though keydown was taken, and would send the form
    });
    this.node = el("div", { class: "picker" }, this.input, this.list);
    this.node.read = () => ({ values: this.chosen ? [this.chosen.value] : [], options: this.chosen ? [this.chosen] : [] });
    this.show();
  }

  show() { this.input.value = this.chosen ? label(this.chosen) : ""; }

  get opened() { return !this.list.hidden; }

  open(query) {
    if (this.e.type.endsWith("external_select")) this.search(query);
    else this.offer(filtered(this.e, query), "No results");
  }

  /** search asks the bot once enough is typed and the typing pauses. */
  search(query) {
    clearTimeout(this.timer);
    const turn = ++this.asked;
    const least = this.e.min_query_length ?? 3;
    if ([...query].length < least) return this.offer([], `Type at least ${least} ${least === 1 ? "character" : "characters"}`);
    this.offer([], "Searching …");
    this.timer = setTimeout(async () => {
      const answer = await this.context.search(this.e, this.block, query);
      if (turn !== this.asked || document.activeElement !== this.input) return; // something else was typed meanwhile, or it was left
      this.offer(groups(answer), answer.ok ? "No results" : answer.error);
    }, pause);
  }

  /** offer shows options under the labels of their groups; nothing is marked until the arrows do. */
  offer(sections, none) {
    this.offered = sections.flatMap((s) => s.options);
    this.at = -1;
    let n = 0;
    fill(this.list, sections.map((s) => [
      s.label && el("li", { role: "presentation", class: "group-label" }, s.label),
      s.options.map((o) => { const i = n++; return this.item(o, i); }),
    ]), this.offered.length === 0 && el("li", { class: "none", role: "presentation" }, none));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.list.scrollIntoView({ block: "nearest" });
  }

  item(o, i) {
    return el("li", {
      role: "option", id: `${this.list.id}-${i}`, "aria-selected": String(this.has(o)),
      onmousedown: (event) => { event.preventDefault(); this.choose(o); },
    }, label(o), o.description && el("small", {}, withEmoji(String(o.description.text ?? ""))));
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if ((step || event.key === "Enter") && !this.opened) this.open("");
    else if (step) this.mark(this.at + step);
    else if (event.key === "Enter" && this.opened) this.choose(this.offered[Math.max(this.at, 0)]);
    else if (event.key === "Escape" && this.opened) { this.close(); this.show(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  has(option) { return option.value === this.chosen?.value; }

  mark(at) {
    const items = [...this.list.querySelectorAll("[role=option]")];
    this.at = Math.max(0, Math.min(at, items.length - 1));
    items.forEach((item, i) => item.classList.toggle("at", i === this.at));
    if (!items[this.at]) return;
    this.input.setAttribute("aria-activedescendant", items[this.at].id);
    items[this.at].scrollIntoView({ block: "nearest" });
  }

  choose(option) {
    if (!option) return;
    const changed = option.value !== this.chosen?.value;
    this.chosen = option;
    this.close();
    this.show();
    if (changed) this.onChange(this.node);
  }

  /** left is called once the field has lost the focus; it may have it again. */
  left() {
    if (document.activeElement !== this.input) this.leave();
  }

  /** leave takes an emptied field for no choice, and any other text for none made. */
  leave() {
    if (this.input.value === "" && this.block.type === "input") this.chosen = undefined;
    this.close();
    this.show();
  }

  close() {
    clearTimeout(this.timer);
    this.asked++;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

/** MultiPicker adds what is picked to a list, from which it can be taken again. */
class MultiPicker extends Picker {
  constructor(e, block, chosen, context, onChange) {
    super(e, block, undefined, context, onChange);
    this.all = chosen;
    this.list.setAttribute("aria-multiselectable", "true");
    this.chips = el("ul", { class: "chips", "aria-label": "Chosen" });
    this.node = el("div", { class: "multi" }, this.chips, this.node);
    this.node.read = () => ({ values: this.all.map((o) => o.value), options: this.all });
    this.draw();
  }

  draw() {
    fill(this.chips, this.all.map((o) => el("li", {}, el("button", { type: "button", "aria-label": `Remove ${label(o)}`, onclick: () => this.set(this.all.filter((other) => other !== o)) }, `${label(o)} ×`))));
  }

  set(all) {
    this.all = all;
    this.draw();
    this.input.focus();
    this.onChange(this.node);
  }

  has(option) { return this.all.some((o) => o.value === option.value); }

  choose(option) {
    if (!option) return;
    this.close();
    this.show();
    if (!this.has(option) && this.all.length < (this.e.max_selected_items ?? Infinity)) this.set([...this.all, option]);
  }

  leave() {
    this.close();
    this.show();
  }
}

function groups(holder) {
  return [{ options: list(holder.options) }, ...list(holder.option_groups).map((g) => ({ label: label({ text: g?.label }), options: list(g?.options) }))];
}

function filtered(e, query) {
  const wanted = query.trim().toLowerCase();
  return groups(e).map((s) => ({ ...s, options: s.options.filter((o) => label(o).toLowerCase().includes(wanted)) })).filter((s) => s.options.length > 0);
}

/**
 * released calls back when no button of the pointer is down. A list that is closed while one is lets the page move under the pointer,
 * so that the click goes elsewhere.
 */
function released(then) {
  if (!document.querySelector(":active")) return then();
  const heard = new AbortController();
  for (const end of ["mouseup", "dragend"]) {
    document.addEventListener(end, () => { heard.abort(); then(); }, { capture: true, signal: heard.signal });
  }
}

/** menu is an overflow menu: a button with a list. */
export function menu(e, name, onChoose) {
  const items = el("ul", { class: "picks", role: "menu", hidden: true });
  const button = el("button", { type: "button", class: "more-button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": name, "data-action": e.action_id }, "⋯");
  const show = (open) => {
    items.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) items.querySelector("button")?.focus();
  };
  fill(items, list(e.options).map((o) => el("li", { role: "presentation" }, el("button", {
    type: "button", role: "menuitem", onclick: () => { show(false); button.focus(); onChoose(button, o.value); },
  }, label(o)))));
  button.addEventListener("click", () => show(items.hidden));
  const node = el("div", { class: "picker overflow" }, button, items);
  node.addEventListener("keydown", (event) => {
    if (items.hidden || !["Escape", "ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [...items.querySelectorAll("button")];
    if (event.key === "Escape") { show(false); return button.focus(); }
    all[(all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length].focus();
  });
  node.addEventListener("focusout", (event) => { if (!node.contains(event.relatedTarget)) show(false); });
  return node;
}
