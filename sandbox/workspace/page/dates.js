// Times as Slack's date tokens say them, in the reader's zone and with a 24-hour clock.

const pad = (n) => String(n).padStart(2, "0");
const clock = (d) => `${pad(d.getHours())}:${pad(d.getMinutes())}`;
const long = (d, options) => d.toLocaleDateString("en-US", options);

const tokens = {
  date_num: (d) => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`,
  date: (d) => long(d, { month: "long", day: "numeric", year: "numeric" }),
  date_short: (d) => long(d, { month: "short", day: "numeric", year: "numeric" }),
  date_long: (d) => long(d, { weekday: "long", month: "long", day: "numeric", year: "numeric" }),
  time: clock,
  time_secs: (d) => `${clock(d)}:${pad(d.getSeconds())}`,
  ago: (d) => ago(Date.now() - d.getTime()),
};

/** nearDay is yesterday, today, tomorrow or empty. */
function nearDay(d) {
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(d) - midnight(new Date())) / 86400e3);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? "";
}

function ago(milliseconds) {
  return milliseconds >= 0 ? `${inLargestUnit(milliseconds)} ago` : `in ${inLargestUnit(-milliseconds)}`;
}

/** inLargestUnit is a length of time as Slack says it, rounded. */
function inLargestUnit(milliseconds) {
  const s = Math.round(milliseconds / 1000), m = Math.round(milliseconds / 60e3), h = Math.round(milliseconds / 3600e3), d = Math.round(milliseconds / 86400e3);
  const [n, name] = s < 60 ? [s, "second"] : m < 60 ? [m, "minute"] : h < 24 ? [h, "hour"] : [d, "day"];
  return `${n} ${name}${n === 1 ? "" : "s"}`;
}

/** span is a length of time in its two largest units. */
export function span(milliseconds) {
  const s = Math.max(0, Math.floor(milliseconds / 1000));
  if (s >= 86400) return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  if (s >= 60) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${s} s`;
}

/** date is a Unix time in a format of tokens; the fallback when the time or a token cannot be read, as in Slack. */
export function date(seconds, format, fallback) {
  const d = new Date(Number(seconds) * 1000);
  if (!Number.isInteger(Number(seconds)) || Number.isNaN(d.getTime())) return fallback;
  let known = true;
  const text = String(format).replace(/\{([a-z_]+)\}/g, (_, token) => {
    const plain = token.replace(/_pretty$/, "");
    const near = plain !== token && nearDay(d);
    if (near) return near;
    known &&= Object.hasOwn(tokens, plain);
    return known ? tokens[plain](d) : "";
  });
  return known ? text : fallback;
}

/** exact is a Unix time for a tooltip. */
export function exact(seconds) {
  const d = new Date(Number(seconds) * 1000);
  return Number.isNaN(d.getTime()) ? "" : d.toISOString();
}

/** ofTS is the Unix time of a message. */
export const ofTS = (ts) => Number(ts.split(".")[0]);

/** timeOfDay is a moment with seconds. */
export const timeOfDay = (iso) => tokens.time_secs(new Date(iso));
