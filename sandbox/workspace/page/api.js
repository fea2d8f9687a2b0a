// What goes over the network: to this origin only.

async function json(response) {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

/** get reads JSON. */
export async function get(path) {
  return json(await fetch(path));
}

/** post sends JSON; the answer is {ok, error}. A server that is gone is an answer too. */
export async function post(path, body) {
  try {
    return await json(await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));
  } catch (error) {
    return { ok: false, error: `The sandbox does not answer: ${error.message}` };
  }
}

/** listen follows what one person sees, until the returned function is called. handlers is by event name. */
export function listen(person, handlers) {
  const source = new EventSource(`/client/events?as=${encodeURIComponent(person)}`);
  for (const [event, handle] of Object.entries(handlers)) {
    if (event !== "gone") source.addEventListener(event, (e) => handle(JSON.parse(e.data)));
  }
  source.addEventListener("error", () => handlers.gone());
  return () => source.close();
}
