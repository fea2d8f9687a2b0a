// Who is at the keyboard.

import { avatar } from "./channel.js";
import { el } from "./dom.js";

/** people fills the switch; onSwitch gets the id. The choice lives as long as the tab. */
export function people(all, onSwitch) {
  const actors = all.map((p, i) => ({ ...p, tone: i })).filter((p) => p.can_act);
  const title = el("span", { class: "title", id: "person-title" });
  const field = document.getElementById("people");
  let current = "";

  function become(id) {
    const person = actors.find((p) => p.id === id);
    if (!person || id === current) return;
    current = id;
    sessionStorage.setItem("person", id);
    document.getElementById(`as-${id}`).checked = true;
    title.textContent = person.title;
    onSwitch(person);
  }

  field.append(
    ...actors.map((p) => el("label", { class: "person" },
      el("input", { type: "radio", name: "as", value: p.id, id: `as-${p.id}`, "aria-describedby": "person-title", onchange: () => become(p.id) }),
      avatar(p), el("span", {}, p.name))),
    title);
  return { become, first: () => become(sessionStorage.getItem("person") ?? "") || become(current || actors[0].id) };
}
