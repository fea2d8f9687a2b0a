// The blocks that hold data: tables, plans and their tasks, charts. A chart is drawn as what it says.

import { el, link, unknown } from "./dom.js";
import { richText } from "./richtext.js";

const list = (value) => (Array.isArray(value) ? value : []);
const signs = { pending: "○", in_progress: "◐", complete: "✓", error: "✕" };

/** data draws such a block, or null for any other. */
export function data(block, context) {
  switch (block?.type) {
    case "table":
      return table(list(block.rows).map((row) => list(row).map((c) => cell(c, context))), list(block.column_settings));
    case "markdown":
      return el("div", { class: "text" }, String(block.text));
    case "task_card":
      return task(block, context);
    case "plan":
      return [el("div", { class: "plan-title" }, String(block.title)), el("ul", { class: "plan-tasks" }, list(block.tasks).map((t) => el("li", {}, task(t, context))))];
    case "data_visualization":
      return chart(block);
    default:
      return null;
  }
}

/** table has its headings in the first row, as Slack shows it. */
function table([head, ...rows], settings = []) {
  const row = (tag, cells) => el("tr", {}, list(cells).map((c, i) => el(tag, { class: settings[i]?.align === "right" ? "right" : null }, c)));
  return el("table", { class: "data" }, el("thead", {}, row("th", head)), el("tbody", {}, rows.map((r) => row("td", r))));
}

function cell(c, context) {
  switch (c?.type) {
    case "raw_text":
      return String(c.text);
    case "raw_number":
      return String(c.text ?? c.value);
    case "rich_text":
      return richText(c, context);
    default:
      return unknown(c);
  }
}

function task(t, context) {
  const status = String(t.status ?? "pending");
  return el("div", { class: `task ${signs[status] ? status.replace("_", "-") : ""}` },
    el("span", { "aria-hidden": "true" }, signs[status] ?? "·"),
    el("div", {},
      el("div", {}, el("b", {}, String(t.title)), " ", el("small", {}, status.replaceAll("_", " "))),
      t.details && richText(t.details, context),
      t.output && richText(t.output, context),
      list(t.sources).map((s) => el("div", {}, link(s.url, s.text)))));
}

function chart({ title, chart: c }) {
  const series = c?.type === "pie" ? [{ name: "", data: c.segments }] : list(c?.series);
  const most = Math.max(...series.flatMap((s) => list(s.data).map((p) => Math.abs(p.value))), 1);
  return [
    el("div", { class: "plan-title" }, String(title)),
    series.map((s) => [s.name && el("div", { class: "hint" }, String(s.name)), el("table", { class: "data" }, el("tbody", {}, list(s.data).map((p) => el("tr", {},
      el("th", { scope: "row" }, String(p.label)), el("td", { class: "right" }, String(p.value)), el("td", {}, el("meter", { min: "0", max: most, value: Math.abs(p.value), "aria-hidden": "true" }))))))]),
  ];
}
