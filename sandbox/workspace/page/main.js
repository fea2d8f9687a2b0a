// The page: puts the parts together and keeps them up to date.

import { get, listen, post } from "./api.js";
import { Channel } from "./channel.js";
import { Composer } from "./composer.js";
import { toast } from "./dialog.js";
import { el, fill, setText } from "./dom.js";
import { Guide } from "./guide.js";
import { Home } from "./home.js";
import { Modal } from "./modal.js";
import { people } from "./people.js";
import { shortcuts } from "./shortcuts.js";
import { Thread } from "./thread.js";
import { World } from "./world.js";

const about = await get("/client/about");
document.title = `#${about.channel.name} · sandbox`;
setText(document.getElementById("channel-name"), `# ${about.channel.name}`);

setText(document.getElementById("beginning"), `This is the beginning of #${about.channel.name}. What is typed here goes to a simulated Slack, and ${about.command} from there to the bot.`);

let stop = () => {};
const world = about.world ? new World() : null;
const composer = new Composer(about, words);
const channel = new Channel(about, changed, (ts) => thread.open(ts));
const thread = new Thread(channel);
const modal = new Modal(channel.names);
const home = new Home(channel.names);
const switcher = people(about.people, become);
const guide = new Guide(about.hints, { propose: (text) => composer.propose(text), become: switcher.become });

function changed() {
  guide.update(channel.texts(), channel.viewer);
  thread.draw();
}

/** words are what can be completed now: VMs and plans from the world, operations from what the channel shows. */
function words() {
  const seen = new Set(channel.texts().join(" ").match(/\bop-[a-z2-7]{8}\b/g));
  return {
    VM: (world?.vms ?? []).map((vm) => [vm.name, vm.description]),
    NAME: (world?.plans ?? []).map((plan) => [plan.name, "recovery plan"]),
    OP: [...seen].reverse().map((op) => [op, "operation"]),
  };
}

/** become shows the channel as another person sees it. */
function become(person) {
  stop();
  composer.become(person);
  channel.reset(person.id, []);
  modal.show(person.id, {});
  showHome(person.id, {});
  stop = listen(person.id, {
    channel: (messages) => channel.reset(person.id, messages),
    message: (message) => channel.put(message),
    deleted: ({ ts }) => channel.drop(ts),
    modal: (view) => modal.show(person.id, view),
    home: (view) => showHome(person.id, view),
    place: (place) => channel.showPlace(place),
    status: showStatus,
    state: (state) => world?.show(state),
    gone: showGone,
  });
}

function showGone() {
  showLink("bad", "the sandbox is", "not connected");
  showBanner("The sandbox does not answer. When it is up again, this page goes on by itself.");
  world?.gone();
}

function showStatus({ bot, outage }) {
  const app = about.people.find((p) => p.is_app);
  showLink(bot ? "good" : "bad", `${app.name} is`, bot ? "connected" : "not connected");
  showBanner(outage ? "Slack is down: nothing reaches the bot, and nothing from it arrives." : "");
  world?.slackIs(outage);
}

function showBanner(text) {
  const banner = document.getElementById("outage");
  banner.hidden = !text;
  setText(banner, text);
}

/** showLink says whether the bot hears; on a phone there is no room for who. */
function showLink(tone, who, state) {
  const node = document.getElementById("link");
  node.dataset.tone = tone;
  if (node.textContent !== `${who} ${state}`) fill(node, el("span", { class: "dot", "aria-hidden": "true" }), el("span", {}, el("span", { class: "who" }, `${who} `), state));
}

/** showHome follows the person, who may have been sent to the Home tab or back by a script. */
function showHome(person, view) {
  const was = home.view.open === true;
  home.show(person, view);
  if (was !== (view.open === true)) showTab(view.open ? "home" : "channel");
}

/** showTab chooses between the channel, the Home tab, and where only one has room the world. */
function showTab(name) {
  document.body.dataset.tab = name;
  for (const b of document.querySelectorAll(".tabs button")) b.setAttribute("aria-pressed", String(b.dataset.tab === name));
}

document.querySelector(".tabs").addEventListener("click", async (e) => {
  const tab = e.target.dataset.tab;
  if (!tab) return;
  showTab(tab);
  if (tab === "world") return;
  const answer = await post("/client/home", { as: channel.viewer, open: tab === "home" });
  if (!answer.ok) toast(answer.error);
});
if (world) {
  document.querySelector(".tabs [data-tab=world]").hidden = false;
  world.terminal(about.terminal);
}
document.querySelector("#composer .field").prepend(shortcuts(about.shortcuts.filter((s) => s.type === "global"), "Shortcuts", () => channel.viewer) ?? "");
switcher.first();
if (matchMedia("(pointer: fine)").matches) document.getElementById("say").focus(); // elsewhere a keyboard would cover the page
