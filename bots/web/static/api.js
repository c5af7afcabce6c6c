/** The way to june's server. */

import { language } from "./texts.js";

/** An answer that is not the one hoped for. */
class Refused extends Error {
  constructor(status, retryAfter) {
    super(`refused with ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Asking again would bring the same. */
  get final() {
    return this.status < 500 && this.status !== 408 && this.status !== 429;
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
export const sound = async (url) => (await call(url)).arrayBuffer();

/**
 * End the answers under way; `heard` is what was heard (`{ message, chars }`), or null. Messages that may still arrive
 * (`unsent`, their ids) are refused then; nothing ends once the message `before` has arrived.
 */
export const stop = (heard, { unsent = [], before = null } = {}) =>
  call("api/stop", json({ ...(heard && { heard: heard.message, heard_chars: heard.chars }), unsent, before }));

/**
 * Send a text (`words`) or a recording (`sound`, a Blob of `seconds`) once; resolves with what june says at once, if
 * anything. The id makes sure that it is answered once, however often it is sent. `interrupts` (`{ message, chars }`)
 * says over which answer it was said, and how much of that was heard.
 */
export async function send({ id, words, sound: blob, seconds, interrupts }, signal) {
  const query = new URLSearchParams({ id, language });
  for (const [name, value] of interrupts ? [["interrupts", 1], ["heard", interrupts.message], ["heard_chars", interrupts.chars]] : []) {
    query.set(name, value);
  }
  if (blob) query.set("seconds", seconds.toFixed(2));
  const recording = () => ({ method: "POST", headers: { "Content-Type": blob.type }, body: blob });
  return (await call(`api/messages?${query}`, { ...(blob ? recording() : json({ text: words })), signal })).json();
}

/** Open the stream of all that becomes of the chat. */
export const events = () => new EventSource(`api/events?language=${language}`);

/** Make an id for a message. */
export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
