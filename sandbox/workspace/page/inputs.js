// Elements that a person fills in or chooses from, in messages and in modals. The context says what becomes of it:
// press(node, element, block, values) tells the bot, search(element, block, query) asks it, start(element, block) gives what
// was there before.

import { textObject } from "./blocks.js";
import { el } from "./dom.js";
import { menu, picker } from "./picker.js";

const list = (value) => (Array.isArray(value) ? value : []);
let made = 0; // for ids

/** control draws an element that keeps a value, or null for any other. Its node has read(): {block_id, action_id, values, options}. */
export function control(e, block, context) {
  switch (e?.type) {
    case "plain_text_input":
    case "number_input":
    case "email_text_input":
    case "url_text_input":
      return text(e, block, context);
    case "static_select":
    case "external_select":
    case "multi_static_select":
    case "multi_external_select":
      return held(picker(e, block, started(e, block, context), context, change(e, block, context)), e, block);
    case "radio_buttons":
    case "checkboxes":
      return choices(e, block, context);
    case "datepicker":
      return moment("date", e, block, context, e.initial_date, "selected_date");
    case "timepicker":
      return moment("time", e, block, context, e.initial_time, "selected_time");
    case "overflow":
      return menu(e, "More actions", (node, value) => context.press(node, e, block, [value]));
    default:
      return null;
  }
}

/** nameOf gives a node an id, to be labelled by. */
export function nameOf(node) {
  node.id ||= `control-${++made}`;
  return node.id;
}

function held(node, e, block) {
  const read = node.read;
  node.dataset.held = "";
  node.read = () => ({ block_id: block.block_id ?? "", action_id: e.action_id ?? "", options: [], ...read() });
  return node;
}

/** change is called when something else was chosen: what was wrong there no longer is, and outside of a form the bot hears of it. */
function change(e, block, context) {
  const early = block.type !== "input" || block.dispatch_action === true;
  return (node) => {
    context.changed?.(block);
    if (early) context.press(node, e, block, node.read().values);
  };
}

/** started are the options that are chosen at first. */
function started(e, block, context) {
  const kept = context.start?.(e, block);
  if (kept?.options) return kept.options;
  if (kept?.selected_options) return kept.selected_options;
  if (kept && "selected_option" in kept) return kept.selected_option ? [kept.selected_option] : [];
  return e.initial_option ? [e.initial_option] : list(e.initial_options);
}

function startedWith(e, block, context, key, initial) {
  const kept = context.start?.(e, block);
  return (kept?.values ? kept.values[0] : kept && key in kept ? kept[key] : initial) ?? "";
}

function text(e, block, context) {
  const many = e.type === "plain_text_input" && e.multiline === true;
  const node = el(many ? "textarea" : "input", {
    "data-action": e.action_id, placeholder: e.placeholder?.text, rows: many ? 4 : null, type: many ? null : "text", autocomplete: "off",
    inputmode: { number_input: "decimal", email_text_input: "email", url_text_input: "url" }[e.type],
    maxlength: e.max_length ?? (e.type === "plain_text_input" ? 3000 : null), autofocus: e.focus_on_load === true,
  });
  node.value = startedWith(e, block, context, "value", e.initial_value);
  node.read = () => ({ values: node.value === "" ? [] : [node.value] });
  const tell = change(e, block, context);
  node.addEventListener("input", () => context.changed?.(block));
  if (block.type !== "input" || block.dispatch_action === true) {
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || (many && !event.ctrlKey && !event.metaKey)) return;
      event.preventDefault();
      tell(node);
    });
  }
  return held(node, e, block);
}

function moment(type, e, block, context, initial, key) {
  const node = el("input", { type, "data-action": e.action_id });
  node.value = startedWith(e, block, context, key, initial);
  node.read = () => ({ values: node.value === "" ? [] : [node.value] });
  const tell = change(e, block, context);
  node.addEventListener("change", () => tell(node));
  return held(node, e, block);
}

function choices(e, block, context) {
  const one = e.type === "radio_buttons";
  const chosen = new Set(started(e, block, context).map((o) => o.value));
  const name = `choice-${++made}`;
  const node = el("div", { role: one ? "radiogroup" : "group", class: "options" });
  const tell = change(e, block, context);
  const boxes = list(e.options).map((o) => {
    const box = el("input", { type: one ? "radio" : "checkbox", name, value: o.value, "data-action": `${e.action_id} ${o.value}`, onchange: () => tell(node) });
    box.checked = chosen.has(o.value);
    return [box, el("label", { class: "option" }, box,
      el("span", {}, textObject(o.text, context), o.description && el("small", {}, textObject(o.description, context)))), o];
  });
  node.append(...boxes.map(([, label]) => label));
  node.read = () => {
    const options = boxes.filter(([box]) => box.checked).map(([, , o]) => o);
    return { options, values: options.map((o) => o.value) };
  };
  return held(node, e, block);
}
