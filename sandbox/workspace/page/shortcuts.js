// The shortcuts of the app: in the menu of a message, and beside the message field.

import { post } from "./api.js";
import { toast } from "./dialog.js";
import { menu } from "./picker.js";

/** shortcuts draws the menu of them, or null without any. viewer() is who uses one; ts is the message it is used on, if any. */
export function shortcuts(list, label, viewer, ts) {
  if (!list.length) return null;
  const options = list.map((s) => ({ text: { text: s.name }, value: s.callback_id }));
  const node = menu({ options, action_id: "shortcuts" }, label, async (button, id) => {
    const answer = await post("/client/shortcut", { as: viewer(), callback_id: id, ts: ts ?? "" });
    if (!answer.ok) toast(answer.error);
  });
  node.classList.add("shortcuts");
  return node;
}
