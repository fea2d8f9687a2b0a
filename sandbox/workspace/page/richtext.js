// rich_text blocks: text that nobody parses.

import { date, exact } from "./dates.js";
import { el, link, unknown } from "./dom.js";
import { emoji, fromCodePoints } from "./emoji.js";
import { mention } from "./mrkdwn.js";

const list = (value) => (Array.isArray(value) ? value : []);
const styles = [["code", "code"], ["strike", "s"], ["italic", "i"], ["bold", "b"], ["underline", "u"]];

/** richText draws the elements of a rich_text block. */
export function richText(block, context) {
  return el("div", { class: "rich" }, list(block.elements).map((element) => part(element, context)));
}

function part(element, context) {
  const inside = () => list(element.elements).map((e) => inline(e, context));
  switch (element?.type) {
    case "rich_text_section":
      return el("div", {}, inside());
    case "rich_text_preformatted":
      return el("pre", {}, inside());
    case "rich_text_quote":
      return el("blockquote", {}, inside());
    case "rich_text_list":
      return listOf(element, context);
    default:
      return unknown(element);
  }
}

function listOf(element, context) {
  const ordered = element.style === "ordered";
  const offset = Number.isInteger(element.offset) ? element.offset : 0;
  const node = el(ordered ? "ol" : "ul", { start: ordered && offset ? offset + 1 : null });
  const indent = Number.isInteger(element.indent) ? Math.min(Math.max(element.indent, 0), 8) : 0;
  node.style.marginInlineStart = `${indent * 1.5}em`;
  node.append(...list(element.elements).map((item) => el("li", {}, part(item, context))));
  return node;
}

function inline(element, context) {
  const node = piece(element, context);
  const style = element?.style ?? {};
  return styles.reduce((inner, [name, tag]) => (style[name] === true ? el(tag, {}, inner) : inner), node);
}

function piece(element, context) {
  switch (element?.type) {
    case "text":
      return String(element.text ?? "");
    case "link":
      return link(String(element.url ?? ""), element.text);
    case "user":
      return mention("@", element.user_id, context);
    case "usergroup":
      return mention("@", element.usergroup_id, context);
    case "channel":
      return mention("#", element.channel_id, context);
    case "broadcast":
      return el("span", { class: "mention" }, `@${element.range}`);
    case "emoji":
      return fromCodePoints(element.unicode) ?? emoji(element.name);
    case "date":
      return dated(element);
    case "color":
      return color(String(element.value ?? ""));
    default:
      return unknown(element);
  }
}

function dated(element) {
  const shown = el("time", { title: exact(element.timestamp) }, date(element.timestamp, element.format, element.fallback ?? ""));
  return element.url ? link(element.url, shown.textContent) : shown;
}

function color(value) {
  const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
  if (/^#[0-9a-f]{3,8}$/i.test(value)) swatch.style.backgroundColor = value;
  return el("span", {}, swatch, value);
}
