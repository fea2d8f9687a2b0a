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

const again = 2000; // milliseconds until a connection that the browser gave up is tried again; others it repeats by itself

/**
 * listen follows what one person sees, until the returned function is called. handlers is by event name; gone is called when
 * the connection is lost. Every connection begins with all that is there.
 */
export function listen(person, handlers) {
  let source, retry;
  function open() {
    source = new EventSource(`/client/events?as=${encodeURIComponent(person)}`);
    for (const [event, handle] of Object.entries(handlers)) {
      if (event !== "gone") source.addEventListener(event, (e) => handle(JSON.parse(e.data)));
    }
    source.addEventListener("error", () => {
      handlers.gone();
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, again);
    });
  }
  open();
  return () => {
    clearTimeout(retry);
    source.close();
  };
}
