// Emoji codes. Those that chat bots use; any other stays as its name, which reads well too.

const characters = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", rotating_light: "🚨", fire: "🔥", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", arrow_forward: "▶️", arrow_right: "➡️", arrow_left: "⬅️", arrows_counterclockwise: "🔄",
  double_vertical_bar: "⏸️", stop_sign: "🛑", no_entry: "⛔", no_entry_sign: "🚫", lock: "🔒", unlock: "🔓", key: "🔑",
  eyes: "👀", wave: "👋", thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", raised_hand: "✋", tada: "🎉", rocket: "🚀",
  boom: "💥", bell: "🔔", mega: "📣", pushpin: "📌", memo: "📝", clock1: "🕐", stopwatch: "⏱️", question: "❓", exclamation: "❗",
  information_source: "ℹ️", red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", white_circle: "⚪",
  large_blue_circle: "🔵", bulb: "💡", wrench: "🔧", hammer_and_wrench: "🛠️", gear: "⚙️", ship: "🚢", ferry: "⛴️", house: "🏠",
  zap: "⚡", sos: "🆘", smile: "😄", slightly_smiling_face: "🙂", cry: "😢", heart: "❤️",
};

/** emoji is the character of a name, or the code as typed. */
export function emoji(name) {
  return Object.hasOwn(characters, name) ? characters[name] : `:${name}:`;
}

/** withEmoji replaces the codes in a text. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
}

/** fromCodePoints is the character of Slack's "1f468-200d-1f692", or null. */
export function fromCodePoints(codes) {
  if (!/^[0-9a-f]{1,6}(-[0-9a-f]{1,6})*$/i.test(codes ?? "")) return null;
  const points = codes.split("-").map((code) => parseInt(code, 16));
  return points.every((p) => p <= 0x10ffff) ? String.fromCodePoint(...points) : null;
}
