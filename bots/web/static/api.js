/** The way to june's server. */

import { language } from "./texts.js";

const TRIES = 8;
const LONGEST_PAUSE_MS = 6000;
const RECONNECT_MS = 2000;

/** An answer that is not the one hoped for. */
export class Refused extends Error {
  constructor(status, retryAfter) {
    super(`refused with ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

async function call(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  if (!response.ok) throw new Refused(response.status, Number(response.headers.get("Retry-After") ?? 0));
  return response;
}

const json = (value) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });

export const session = async () => (await call("api/session", json({}))).json();
export const login = async (password) => (await call("api/login", json({ password }))).json();
export const past = async () => (await (await call(`api/turns?language=${language}`)).json()).turns;
export const sound = async (url) => (await call(url)).arrayBuffer();

/** Send a text; resolves with what june says at once, if anything, and the message's id. */
export const write = (text, id) => send(id, json({ text }), "");

/** Send a recording. */
export const speak = (blob, seconds, id) =>
  send(id, { method: "POST", headers: { "Content-Type": blob.type || "application/octet-stream" }, body: blob }, `&seconds=${seconds.toFixed(2)}`);

/** Send it again when the connection breaks: the id makes sure that it is answered once. */
async function send(id, request, more) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await (await call(`api/messages?id=${id}&language=${language}${more}`, request)).json();
    } catch (error) {
      const final = error instanceof Refused && error.status < 500;
      if (final || attempt === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE_MS, 500 * 2 ** (attempt - 1))));
    }
  }
}

/** Follow a turn until it is done, over any restart of the server; each view is the whole of it. */
export function follow(id, onView, onTrouble) {
  let source;
  let ended = false;
  const open = () => {
    source = new EventSource(`api/turns/${id}/events?language=${language}`);
    source.addEventListener("turn", (event) => {
      const view = JSON.parse(event.data);
      if (view.done) {
        ended = true;
        source.close();
      }
      onView(view);
    });
    source.addEventListener("error", () => {
      if (ended) return;
      onTrouble();
      if (source.readyState === EventSource.CLOSED) setTimeout(open, RECONNECT_MS);
    });
  };
  open();
}

/** Make an id for a message. */
export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
