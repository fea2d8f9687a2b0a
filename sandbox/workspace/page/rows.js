// One VM or recovery plan of the simulated world.

import { span } from "./dates.js";
import { el, fill, setText } from "./dom.js";

/** names of operations, as the portal's buttons say them. */
export const names = {
  unplannedFailover: "Failover", failoverCommit: "Commit", applyRecoveryPoint: "Change recovery point",
  switchprotection: "Re-protect", testFailover: "Test failover", testFailoverCleanup: "Cleanup test failover",
};

/** Work is the job that runs on something: a bar and its tasks. */
class Work {
  constructor(name) {
    this.bar = el("progress", { max: "1", "aria-label": `Job of ${name}`, hidden: true });
    this.tasks = el("ol", { class: "tasks", hidden: true });
  }

  /** show a job, or how much of an initial replication is done, or nothing. */
  show(running, percent) {
    this.bar.hidden = !running && percent == null;
    this.tasks.hidden = !running;
    this.bar.value = running ? running.done : (percent ?? 0) / 100;
    if (!running) return;
    const state = JSON.stringify(running.tasks);
    if (state === this.taskState) return;
    this.taskState = state;
    fill(this.tasks, running.tasks.map((t) => el("li", { class: t.state.toLowerCase() }, t.name, el("span", {}, taskWords[t.state] ?? t.state))));
  }
}

/** Plan is a recovery plan: which VMs boot after which, and its job. */
export class Plan {
  constructor(plan) {
    this.state = el("span", { class: "pill" });
    this.work = new Work(plan.name);
    this.node = el("li", { "data-plan": plan.name },
      el("div", { class: "plan" }, el("b", { class: "name" }, plan.name), el("span", { class: "state" }, this.state)),
      el("p", { class: "also" }, plan.groups.map((vms) => vms.join(", ")).join(" → ")), this.work.bar, this.work.tasks);
  }

  show(jobs) {
    const running = jobs.find((j) => !j.end);
    const last = jobs.at(-1);
    setText(this.state, running ? `${running.name} runs` : last ? `${last.name}: ${last.description}` : "");
    this.state.hidden = !last;
    this.state.className = `pill ${running ? "busy" : last?.state === "Failed" ? "ill" : "calm"}`;
    this.work.show(running);
  }
}

/** Row is one VM, drawn once and updated after that, so that it stays open and focused. */
export class Row {
  constructor(name, portal) {
    this.state = el("span", { class: "pill" });
    this.age = el("span", { class: "age" });
    this.work = new Work(name);
    this.also = el("p", { class: "also", hidden: true });
    this.trouble = el("p", { class: "trouble", hidden: true });
    this.raw = el("p", { class: "raw" });
    this.portal = portal;
    this.buttons = el("div", { class: "group" });
    this.node = el("li", { "data-vm": name },
      el("details", {},
        el("summary", {}, el("b", { class: "name" }, name), this.age, el("span", { class: "state" }, this.state)),
        el("div", { class: "more" }, this.raw, el("div", { class: "as-portal" }, el("p", {}, "As in the Azure portal:"), this.buttons))),
      this.also, this.trouble, this.work.bar, this.work.tasks);
  }

  /** offer shows what a person could start in the portal now. */
  offer(operations) {
    const state = operations.join();
    if (state === this.offered) return;
    this.offered = state;
    this.buttons.parentElement.hidden = !operations.length;
    fill(this.buttons, operations.map((o) => el("button", { type: "button", onclick: () => this.portal(o) }, names[o] ?? o)));
  }

  showAge(vm, now) {
    setText(this.age, vm.newest_point ? `point ${span(Math.max(0, now - Date.parse(vm.newest_point)))} old` : "no points");
    this.age.classList.toggle("stale", !vm.replicating);
  }

  show(vm, jobs) {
    const running = jobs.find((j) => !j.end);
    const last = jobs.at(-1);
    setText(this.state, running ? `${running.name} runs` : words(vm));
    this.state.className = `pill ${tone(vm, running)}`;
    setText(this.raw, [vm.state, `health ${vm.health}`, last?.end && `last job: ${last.name}, ${last.description}`].filter(Boolean).join(" · "));
    const trouble = !running && last?.complaint ? `${last.name} ${last.state === "Failed" ? "failed" : "had a problem"}: ${last.complaint}` : "";
    this.trouble.hidden = !trouble;
    setText(this.trouble, trouble);
    const also = besides(vm);
    this.also.hidden = !also;
    setText(this.also, also);
    this.offer(vm.operations ?? []);
    this.work.show(running, vm.percent);
  }
}

/** besides is what else there is of a VM, or is going on with it. */
function besides(vm) {
  return [
    vm.drill && `Test VM ${vm.drill} is up`,
    vm.percent != null && `Initial replication: ${vm.percent} %`,
    vm.leftover && `Left behind: VM ${vm.leftover.split("/").at(-1)} in ${vm.leftover.split("/")[4]}`,
  ].filter(Boolean).join(" · ");
}

const taskWords = { Completed: "done", InProgress: "runs", NotStarted: "", Skipped: "skipped", Failed: "failed" };

function words(vm) {
  const ill = vm.health === "Normal" ? "" : `, ${vm.health.toLowerCase()}`;
  return protection(vm) + ill;
}

function protection(vm) {
  return { UnplannedFailoverCommitPendingStatesBegin: "Waits for commit", UnplannedFailoverCommitted: "Committed" }[vm.state] ?? vm.description;
}

function tone(vm, running) {
  if (running) return "busy";
  if (vm.health !== "Normal") return "ill";
  return { Protected: "well", UnplannedFailoverCommitPendingStatesBegin: "waits" }[vm.state] ?? "calm";
}
