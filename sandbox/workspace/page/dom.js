// Building DOM from data. Nothing here, or anywhere on this page, parses HTML: text stays text.

/**
 * el makes an element. An attribute that is a function listens to the event of its name ("onclick"); true is an empty
 * attribute; null, undefined and false are left out. Children that are strings become text.
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** fill replaces what is in a node. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** setText changes a text only when it differs, so that readers of the screen hear changes only. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** safeURL is the address of a link that may be followed, or null: http, https and mailto only. */
export function safeURL(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
}

/** link is an anchor, or for an address that must not be followed the label and the address as text. */
export function link(address, label) {
  const shown = label || address;
  const href = safeURL(address);
  if (href) return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, shown);
  return el("span", { class: "dead-link" }, shown === address ? shown : `${shown} (${address})`);
}

/** unknown shows what this page cannot draw, whole. */
export function unknown(thing) {
  const name = thing && typeof thing === "object" && typeof thing.type === "string" ? thing.type : typeof thing;
  return el("pre", { class: "unknown" }, `${name} ${JSON.stringify(thing, null, 1)}`);
}
