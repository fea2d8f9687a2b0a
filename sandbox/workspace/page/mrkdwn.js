// Slack's markup: what stands in angle brackets, *bold* _italic_ ~strike~ `code`, ```preformatted``` and > quotes.

import { date, exact } from "./dates.js";
import { el, link } from "./dom.js";
import { withEmoji } from "./emoji.js";

const marks = { "*": "b", _: "i", "~": "s" };
const wordish = /[\p{L}\p{N}]/u;

/** unescape is text as it was before the three characters were escaped. */
export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** mention is a person, group or channel by name; the reader's own is marked. */
export function mention(sign, id, context) {
  return el("span", { class: id === context.viewer ? "mention own" : "mention" }, sign + context.name(id));
}

/**
 * mrkdwn is a text as nodes. context has name(id) and viewer; verbatim leaves bare addresses alone.
 */
export function mrkdwn(text, context, verbatim = false) {
  const parts = String(text).split(/```([^]*?)```/);
  return parts.flatMap((part, i) => {
    if (i % 2) return el("pre", {}, unescape(part.replace(/^\n/, "")).replace(/\n$/, ""));
    return quotes(part, context, verbatim);
  });
}

function quotes(text, context, verbatim) {
  const nodes = [];
  let plain = [];
  let quoted = [];
  const flush = () => {
    if (plain.length) nodes.push(...inline(plain.join("\n"), context, verbatim));
    if (quoted.length) nodes.push(el("blockquote", {}, inline(quoted.join("\n"), context, verbatim)));
    plain = [];
    quoted = [];
  };
  for (const line of text.split("\n")) {
    const quote = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quote ? plain.length : quoted.length) flush();
    (quote ? quoted : plain).push(quote ? quote[1] : line);
  }
  flush();
  return nodes;
}

/** inline handles one run of text without preformatted parts. */
function inline(text, context, verbatim) {
  const nodes = [];
  let run = "";
  const flush = () => {
    if (run) nodes.push(...bare(withEmoji(unescape(run)), verbatim));
    run = "";
  };
  let i = 0;
  while (i < text.length) {
    const [node, next] = tokenAt(text, i, context, verbatim);
    if (node === null) {
      run += text[i++];
      continue;
    }
    flush();
    nodes.push(node);
    i = next;
  }
  flush();
  return nodes;
}

/** tokenAt reads what begins at i: [node, where it ends], or [null] for ordinary text. */
function tokenAt(text, i, context, verbatim) {
  const c = text[i];
  if (c === "<") {
    const end = text.indexOf(">", i);
    return end < 0 ? [null] : [special(text.slice(i + 1, end), context), end + 1];
  }
  if (c === "`") {
    const end = text.indexOf("`", i + 1);
    if (end <= i + 1 || text.slice(i, end).includes("\n")) return [null];
    return [el("code", {}, unescape(text.slice(i + 1, end))), end + 1];
  }
  if (!Object.hasOwn(marks, c)) return [null];
  const end = closing(text, i);
  return end < 0 ? [null] : [el(marks[c], {}, inline(text.slice(i + 1, end), context, verbatim)), end + 1];
}

/** closing finds the mark that ends the one at i, on its line; -1 when the one at i is a character like any other. */
function closing(text, i) {
  const mark = text[i];
  if (wordish.test(text[i - 1] ?? "") || /\s|^$/.test(text[i + 1] ?? "") || text[i + 1] === mark) return -1;
  for (let end = i + 2; end < text.length && text[end] !== "\n"; end++) {
    if (text[end] === "<") {
      end = Math.max(end, text.indexOf(">", end));
    } else if (text[end] === mark && !/\s/.test(text[end - 1]) && !wordish.test(text[end + 1] ?? "")) {
      return end;
    }
  }
  return -1;
}

/** bare links addresses that stand in a text, unless it is verbatim. */
function bare(text, verbatim) {
  if (verbatim) return [text];
  return text.split(/(https?:\/\/[^\s<>"'`|]+[^\s<>"'`|.,;:!?)\]])/).map((part, i) => (i % 2 ? link(part) : part)).filter((part) => part !== "");
}

/** special is one <...>: a mention, a command such as !here or !date, or a link. */
function special(inside, context) {
  const cut = inside.indexOf("|");
  const target = cut < 0 ? inside : inside.slice(0, cut);
  const label = cut < 0 ? "" : unescape(inside.slice(cut + 1));
  switch (target[0]) {
    case "@":
    case "#":
      return mention(target[0], target.slice(1), context);
    case "!":
      return command(target.slice(1), label);
    default:
      return link(unescape(target), label);
  }
}

function command(text, label) {
  const [name, ...rest] = text.split("^");
  if (name === "date") {
    const [seconds, format = "", address] = rest;
    const shown = el("time", { title: exact(seconds) }, date(seconds, unescape(format), label));
    return address ? el("span", {}, link(unescape(address), shown.textContent)) : shown;
  }
  return el("span", { class: "mention" }, label || `@${name === "subteam" ? rest[0] : name}`);
}
