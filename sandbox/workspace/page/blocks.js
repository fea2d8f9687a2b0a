// Block Kit, block by block, as it was sent. A surface (a message or a modal) gives a context: name(id), viewer,
// press(button, element, block) and what inputs.js asks for.

import { data } from "./data.js";
import { el, link, safeURL, unknown } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { control, nameOf } from "./inputs.js";
import { mrkdwn } from "./mrkdwn.js";
import { richText } from "./richtext.js";

const list = (value) => (Array.isArray(value) ? value : []);

/** blocks draws an array of blocks. */
export function blocks(array, context) {
  return list(array).map((block) => el("div", { class: `block ${kindOf(block)}` }, draw(block, context)));
}

/** kindOf is a type as a class name, whatever the type says. */
function kindOf(thing) {
  return typeof thing?.type === "string" && /^[a-z_]+$/.test(thing.type) ? thing.type.replaceAll("_", "-") : "strange";
}

function draw(block, context) {
  switch (block?.type) {
    case "header":
      return el("div", { role: "heading", "aria-level": "3" }, textObject(block.text, context));
    case "section":
      return section(block, context);
    case "context":
      return list(block.elements).map((e) => el("span", { class: "bit" }, element(e, block, context)));
    case "actions":
      return list(block.elements).map((e) => element(e, block, context));
    case "divider":
      return el("hr");
    case "image":
      return image(block, context);
    case "input":
      return input(block, context);
    case "rich_text":
      return richText(block, context);
    default:
      return data(block, context) ?? unknown(block);
  }
}

function section(block, context) {
  const fields = list(block.fields);
  return [
    el("div", { class: "words" },
      block.text && el("div", {}, textObject(block.text, context)),
      fields.length > 0 && el("div", { class: "fields" }, fields.map((f) => el("div", {}, textObject(f, context))))),
    block.accessory && el("div", { class: "accessory" }, element(block.accessory, block, context)),
  ];
}

/** textObject is plain_text or mrkdwn as nodes. */
export function textObject(object, context) {
  switch (object?.type) {
    case "plain_text":
      return [object.emoji === false ? String(object.text) : withEmoji(String(object.text))];
    case "mrkdwn":
      return mrkdwn(object.text, context, object.verbatim === true);
    default:
      return [unknown(object)];
  }
}

function element(e, block, context) {
  switch (e?.type) {
    case "plain_text":
    case "mrkdwn":
      return textObject(e, context);
    case "button":
      return button(e, block, context);
    case "image":
      return image(e, context);
    default:
      return control(e, block, context) ?? unknown(e);
  }
}

/** button is a link too when it has an address that may be followed; the bot hears of the click in both cases. */
function button(e, block, context) {
  const style = ["primary", "danger"].includes(e.style) ? e.style : "";
  const attributes = {
    class: `button ${style}`,
    "aria-label": e.accessibility_label,
    "data-action": e.action_id,
    onclick: (event) => context.press(event.currentTarget, e, block),
  };
  const href = e.url && safeURL(e.url);
  if (href) return el("a", { ...attributes, href, target: "_blank", rel: "noopener noreferrer" }, textObject(e.text, context));
  return el("button", { ...attributes, type: "button" }, textObject(e.text, context));
}

/** image is its description: this page asks nobody else for anything. */
function image(e, context) {
  return el("span", { class: "picture" }, e.title && textObject(e.title, context), " Image: ", e.alt_text || "without a description", " ",
    e.image_url && link(e.image_url, "(open)"));
}

/** input is a field with its label, its hint, and a place for what is wrong with it. */
function input(block, context) {
  const field = control(block.element, block, context) ?? unknown(block.element);
  const asks = field.matches("input, textarea") ? field : field.querySelector("[role=combobox]");
  const label = el(asks ? "label" : "span", { class: "label", for: asks && nameOf(asks) }, textObject(block.label, context), block.optional === true && el("span", { class: "optional" }, " (optional)"));
  const hint = block.hint && el("p", { class: "hint" }, textObject(block.hint, context));
  const problem = el("p", { class: "problem", "data-problem": block.block_id, hidden: true });
  (asks ?? field).setAttribute("aria-describedby", [hint, problem].filter(Boolean).map(nameOf).join(" "));
  if (!asks) field.setAttribute("aria-labelledby", nameOf(label));
  return [label, field, problem, hint];
}
