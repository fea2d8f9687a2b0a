// The message field: history, completion, sending.

import { post } from "./api.js";
import { el, fill } from "./dom.js";
import { toast } from "./dialog.js";

const points = ["latest", "latest-processed", "latest-app", "-20m"];
const times = ["-20m"];
const most = 40; // completions shown

export class Composer {
  /** words gives what can stand for VM, OP and a plan's NAME now, each as [[word, note]]. */
  constructor(about, words) {
    this.about = about;
    this.words = words;
    this.input = document.getElementById("say");
    this.list = document.getElementById("completions");
    this.history = [];
    this.back = 0; // how many commands the field went back
    this.chosen = -1;
    this.offered = [];
    this.person = "";
    this.input.addEventListener("input", () => { this.back = 0; this.offer(); });
    this.input.addEventListener("focus", () => { if (this.input.value) this.offer(); });
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("keydown", (e) => this.key(e));
    document.getElementById("composer").addEventListener("submit", (e) => { e.preventDefault(); this.send(); });
  }

  become(person) {
    this.person = person.id;
    this.input.placeholder = `Message as ${person.name}, or ${this.about.command}`;
  }

  /** propose puts a text into the field, ready to be sent. */
  propose(text) {
    this.input.value = text;
    this.input.focus();
    this.close();
  }

  async send() {
    const text = this.input.value.trim();
    if (!text) return;
    this.history.push(text);
    this.back = 0;
    this.input.value = "";
    this.close();
    const answer = await post("/client/type", { as: this.person, text });
    // What Slack itself has to say about a command stands in the channel.
    if (!answer.ok && !answer.error.includes(this.about.command)) toast(answer.error);
  }

  key(e) {
    const choosing = this.chosen >= 0;
    if (e.key === "ArrowDown" && this.offered.length) this.choose(this.chosen + 1);
    else if (e.key === "ArrowUp" && choosing) this.choose(this.chosen - 1);
    else if (e.key === "ArrowUp") this.recall(this.back + 1);
    else if (e.key === "ArrowDown") this.recall(this.back - 1);
    else if (e.key === "Tab" && this.offered.length && !e.shiftKey) this.accept(Math.max(this.chosen, 0));
    else if (e.key === "Enter" && choosing) this.accept(this.chosen);
    else if (e.key === "Escape" && this.offered.length) this.close();
    else return;
    e.preventDefault();
  }

  recall(back) {
    if (back < 0 || back > this.history.length) return;
    this.back = back;
    this.input.value = back ? this.history[this.history.length - back] : "";
    this.close();
  }

  /** offer shows what can stand at the end of the text; nothing is chosen, so that Enter sends. */
  offer() {
    const offered = completions(this.input.value, this.about, this.words());
    this.offered = offered.length === 1 && offered[0].text === this.input.value ? [] : offered.slice(0, most);
    this.chosen = -1;
    fill(this.list, this.offered.map((o, i) => el("li", {
      role: "option", id: `completion-${i}`, "aria-selected": "false",
      onmousedown: (e) => { e.preventDefault(); this.accept(i); },
    }, el("b", {}, o.word), el("span", {}, o.note))));
    this.show(this.offered.length > 0);
  }

  show(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.offered = [];
    this.chosen = -1;
    this.show(false);
  }

  choose(i) {
    this.chosen = Math.min(i, this.offered.length - 1);
    [...this.list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === this.chosen)));
    const item = this.list.children[this.chosen];
    if (!item) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }

  accept(i) {
    this.input.value = this.offered[i].text;
    this.input.focus();
    this.offer();
  }
}

/** completions are {word, note, text}: what to show, and the whole text once it is taken. */
export function completions(text, about, words) {
  if (!text.startsWith("/")) return [];
  if (!text.startsWith(`${about.command} `)) {
    return about.command.startsWith(text) ? [{ word: about.command, note: "ask the bot", text: `${about.command} ` }] : [];
  }
  const typed = text.slice(about.command.length + 1).split(/\s+/);
  const begun = typed.pop();
  const before = text.slice(0, text.length - begun.length);
  return candidates(typed, begun, about, words)
    .filter(([word]) => word.startsWith(begun) && word !== begun)
    .map(([word, note]) => ({ word, note, text: `${before}${word} ` }));
}

function candidates(typed, begun, about, words) {
  const verbs = about.verbs ?? [];
  const flags = typed.filter((word) => word.startsWith("--"));
  if (flags.length && !begun.startsWith("--")) return []; // the text of a flag, most likely
  if (typed.length === 0) return [...verbs.map((v) => [v.name, v.summary]), ...words.VM];
  let verb = verbs.find((v) => v.name === typed[0]);
  const given = typed.filter((word) => !word.startsWith("--")).slice(verb ? 1 : 0);
  verb ??= verbs.find((v) => v.name === "run"); // the word run may be left out
  if (!verb) return [];
  const unused = verb.flags.filter((f) => !flags.includes(f)).map((f) => [f, ""]);
  if (begun.startsWith("--")) return unused;
  const names = typed.includes("group") ? (about.groups ?? []).map((name) => [name, "group"]) : words.NAME;
  const known = { ...words, NAME: names, POINT: points.map((p) => [p, "recovery point"]), TIME: times.map((t) => [t, "20 minutes ago"]), VERB: verbs.map((v) => [v.name, v.summary]) };
  const args = slot(verb.args, given).split("|").flatMap((name) => known[name] ?? (/^[a-z]+$/.test(name) ? [[name, ""]] : [])); // a word stands for itself
  return [...args.filter(([word]) => !given.includes(word)), ...(begun === "" ? unused : [])];
}

/** slot is what may stand behind some words: VM... are one or more, and "group NAME" or "plan NAME" may stand for a VM. */
function slot(args, given) {
  const words = [...args.matchAll(/\|(group|plan) NAME/g)].map(([, word]) => word);
  const others = args.replaceAll(/\|(group|plan) NAME/g, "");
  const places = words.includes(given[0]) ? others.replace(/^\S+/, `${given[0]} NAME`) : others;
  if (places.startsWith("VM...") && given.length) return points.includes(given.at(-1)) ? "" : places.replaceAll(/[[\].]/g, "").replaceAll(" ", "|");
  const place = places.replaceAll(/[[\].]/g, "").split(" ")[given.length] ?? "";
  return given.length ? place : [place, ...words].join("|");
}
