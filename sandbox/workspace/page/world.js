// The simulated world beside the channel: its clock, what can go wrong, the VMs, and every call that changed something.

import { post } from "./api.js";
import { timeOfDay } from "./dates.js";
import { toast } from "./dialog.js";
import { el, fill, setText } from "./dom.js";
import { names, Plan, Row } from "./rows.js";

const speeds = [1, 20, 60, 300];
const failover = "unplannedFailover";

/** What can be armed: the fault as the world takes it, and in a few words what it is. */
const faults = [
  { label: "429 from Azure", note: "Azure refuses the next failover call: too many requests", fault: { kind: "throttle", operation: failover, times: 1, retry_after_seconds: 300 } },
  { label: "Lost answer", note: "The next failover starts, and the answer to the call is lost", fault: { kind: "lost-answer", operation: failover, times: 1 } },
  { label: "Failed job", note: "The job of the next failover fails half-way", fault: { kind: "job-fails", operation: failover, times: 1 } },
];

export class World {
  constructor() {
    this.rows = new Map();
    this.vms = [];
    this.plans = [];
    this.planRows = new Map();
    this.outage = 0;
    this.node = document.getElementById("world");
    this.node.hidden = false;
    this.build();
    setInterval(() => this.tick(), 1000);
  }

  async act(path, body) {
    const answer = await post(`/world/${path}`, body);
    if (!answer.ok) toast(answer.error);
  }

  build() {
    this.now = el("span", { class: "sim-time" });
    this.pause = el("button", { type: "button", onclick: () => this.act("clock", { paused: this.pause.getAttribute("aria-pressed") !== "true" }) }, "Pause");
    this.speeds = speeds.map((s) => el("button", { type: "button", "data-speed": s, onclick: () => this.act("clock", { speed: s }) }, `${s}×`));
    this.faults = faults.map((f) => el("button", { type: "button", title: f.note, "aria-label": `${f.label}: ${f.note}`, onclick: () => this.act("fault", f.fault) }, f.label));
    this.source = el("button", { type: "button", title: "No new recovery points, and the source VMs cannot be shut down",
      onclick: () => this.act("source", { down: this.source.getAttribute("aria-pressed") !== "true" }) }, "Source region down");
    this.slack = el("button", { type: "button", title: "For 20 seconds nothing gets to the bot, and nothing from it", onclick: () => this.slackOutage() }, "Slack outage");
    this.armed = el("p", { class: "armed", role: "status" });
    this.list = el("div");
    this.planList = el("ul", { class: "vms" });
    this.planned = el("section", { "aria-label": "Recovery plans", hidden: true }, el("h3", {}, "Recovery plans"), this.planList);
    this.ledger = el("ol", { class: "ledger" });
    this.none = el("p", { class: "none" }, "No call yet.");
    fill(this.node,
      el("header", { class: "bar" }, el("h2", {}, "Simulated Azure"), this.now),
      el("div", { class: "panes" },
        el("section", { class: "controls", "aria-label": "Clock" },
          el("h3", {}, "Clock"), el("div", { class: "group", role: "group", "aria-label": "Speed" }, this.pause, this.speeds)),
        el("section", { class: "controls", "aria-label": "Faults" },
          el("h3", {}, "Make it go wrong"),
          el("div", { class: "group", role: "group" }, this.faults, this.source, this.slack), this.armed),
        el("section", { "aria-label": "Virtual machines" }, el("h3", {}, "Virtual machines"), this.list),
        this.planned,
        el("section", { "aria-label": "Ledger" }, el("h3", {}, "Calls that changed something"), this.none, this.ledger)));
  }

  /** terminal adds how to reach the same sandbox from a shell. */
  terminal(lines) {
    if (!lines?.length) return;
    this.node.querySelector(".panes").append(el("section", { "aria-label": "Terminal" },
      el("h3", {}, "From a terminal"), el("pre", { class: "terminal", tabindex: "0" }, lines.join("\n"))));
  }

  async slackOutage() {
    const answer = await post("/client/outage", { seconds: this.outage ? 0 : 20 });
    if (!answer.ok) toast(answer.error);
  }

  /** slackIs shows how long Slack stays away. */
  slackIs(outage) {
    this.outage = outage;
    this.slack.setAttribute("aria-pressed", String(outage > 0));
    setText(this.slack, outage ? `Slack back in ${outage} s` : "Slack outage");
  }

  /** gone says that what is shown is old. */
  gone() {
    this.state = null;
    setText(this.now, "not connected");
    this.now.classList.add("bad");
  }

  /** tick lets the time go on between two states. */
  tick() {
    if (!this.state) return;
    const now = Date.parse(this.state.clock.now) + Math.round(performance.now() - this.since);
    setText(this.now, this.state.clock.paused ? "paused" : `${this.state.clock.speed}× · ${timeOfDay(now)}`);
    for (const vm of this.state.vms) this.row(vm.name).showAge(vm, now);
  }

  show(state) {
    const { clock } = state;
    this.state = state;
    this.since = performance.now();
    this.now.classList.remove("bad");
    this.pause.setAttribute("aria-pressed", String(clock.paused));
    for (const b of this.speeds) b.setAttribute("aria-pressed", String(!clock.paused && Number(b.dataset.speed) === clock.speed));
    this.source.setAttribute("aria-pressed", String(state.source_down));
    this.showArmed(state.faults);
    this.vms = state.vms;
    this.place(state.vms, state.source_down ? state.source : "");
    for (const vm of state.vms) this.row(vm.name).show(vm, state.jobs.filter((j) => j.vm === vm.name));
    this.showPlans(state);
    this.showLedger(state.ledger);
    this.tick();
  }

  showArmed(armed) {
    const text = armed.map((f) => faults.find((known) => known.fault.kind === f.kind)?.label ?? f.kind).join(", ");
    if (text === this.armedText) return;
    this.armedText = text;
    fill(this.armed, text && ["Waits for the next failover: ", el("b", {}, text), " ", el("button", { type: "button", class: "quiet", onclick: () => this.act("clear", {}) }, "Disarm")]);
  }

  row(name) {
    if (!this.rows.has(name)) {
      const row = new Row(name, (operation) => this.act("portal", { vm: name, operation }));
      this.rows.set(name, row);
    }
    return this.rows.get(name);
  }

  showPlans({ plans, jobs }) {
    this.plans = plans;
    this.planned.hidden = !plans.length;
    for (const plan of plans) {
      const key = `${plan.vault}/${plan.name}`;
      if (!this.planRows.has(key)) {
        this.planRows.set(key, new Plan(plan));
        this.planList.append(this.planRows.get(key).node);
      }
      this.planRows.get(key).show(jobs.filter((j) => j.plan === plan.name && j.vault === plan.vault));
    }
  }

  /** place puts each VM under where it runs, so that a failover is seen as a move. */
  place(vms, down) {
    const places = Map.groupBy(vms, where);
    const state = JSON.stringify([down, ...[...places].map(([place, there]) => [place, there.map((vm) => vm.name)])]);
    if (state === this.placed) return;
    this.placed = state;
    fill(this.list, [...places].map(([place, there]) => el("div", { class: "region" },
      el("h4", {}, place, down === there[0].runs_in && [" ", el("span", { class: "pill ill" }, "down")]), el("ul", { class: "vms" }, there.map((vm) => this.row(vm.name).node)))));
  }

  showLedger(calls) {
    this.none.hidden = calls.length > 0;
    const state = JSON.stringify(calls);
    if (state === this.ledgerState) return;
    this.ledgerState = state;
    fill(this.ledger, calls.toReversed().map((c) => el("li", {},
      el("time", {}, timeOfDay(c.at)),
      el("span", { class: "call" }, el("b", {}, called(c.operation)), ` ${c.vm || c.plan} `, c.source === "portal" ? "by the portal" : ""),
      el("span", { class: c.accepted ? "good" : "bad" }, c.accepted ? "accepted" : `refused ${c.status}`))));
  }
}

/** where is the heading of the VMs that run in the same place and replicate to the same place. */
function where(vm) {
  if (vm.runs_in !== vm.from) return `In ${vm.runs_in}, failed over from ${vm.from}`;
  return vm.reversed ? `In ${vm.from}, replicates back to ${vm.to}` : `${vm.from} → ${vm.to}`;
}

/** called is what the portal calls an operation, that of a plan as that of a VM. */
function called(operation) {
  const plain = operation.replace(/^plan([A-Z])/, (_, first) => first.toLowerCase());
  return names[plain] ?? operation;
}
