/**
 * The tabs of one browser in step: one of them, the leader, holds the stream of events and passes them on, so that any
 * number of tabs needs one connection (HTTP/1.1 has six for all of them). Where browsers cannot, each has its own.
 */

import * as api from "./api.js";

const STREAM_LOCK = "june-stream";
const LISTENING_LOCK = "june-listening";
const CHANNEL = "june";
const REOPEN_MS = 2000;
const LEADER_MS = 1500; // a leader that is silent for longer sleeps (a tab in a telephone's background)

export class Tabs {
  #onEvent;
  #id = api.newId();
  #channel = navigator.locks && globalThis.BroadcastChannel ? new BroadcastChannel(CHANNEL) : null;
  #source = null; // the leader's
  #reopening = null;
  #asking = null; // the timer of a question to the leader
  #turns = null; // what the leader knows, by message

  /** `onEvent(name, data)` gets what the server tells, and `trouble` while it is out of reach. */
  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  get leads() {
    return this.#source !== null;
  }

  /** Begin: the first event is `turns`. */
  open() {
    if (!this.#channel) return this.#listen();
    this.#channel.addEventListener("message", ({ data }) => this.#hear(data));
    this.#queue();
    this.check();
  }

  /** See that the leader is there; where it does not answer, lead. */
  check() {
    if (!this.#channel || this.leads || this.#asking) return;
    this.#channel.postMessage({ ask: this.#id });
    this.#asking = setTimeout(() => {
      this.#asking = null;
      if (!this.leads) this.#queue({ steal: true });
    }, LEADER_MS);
  }

  /** The connection may have died without a word (a machine that slept): open another. */
  reconnect() {
    if (this.leads) this.#listen();
    else this.check();
  }

  /** Tell the other tabs something of this browser's own. */
  tell(name, data = {}) {
    this.#channel?.postMessage({ name, data });
  }

  // The leader

  async #queue(options = {}) {
    try {
      await navigator.locks.request(STREAM_LOCK, options, () => {
        this.#listen();
        return new Promise(() => {}); // until the tab goes, or another takes it
      });
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      this.#leave();
      this.#queue();
    }
  }

  #listen() {
    clearTimeout(this.#reopening);
    this.#source?.close();
    const source = api.events();
    this.#source = source;
    for (const name of ["turns", "turn", "settings", "said", "cleared"]) {
      source.addEventListener(name, (event) => this.#pass(name, JSON.parse(event.data)));
    }
    source.addEventListener("error", () => {
      this.#pass("trouble", {});
      if (source.readyState === EventSource.CLOSED) this.#reopen(source);
    });
  }

  /** The server has refused the stream: is there a session still? */
  async #reopen(source) {
    await api.session().catch((error) => error.status === 401 && location.reload());
    this.#reopening = setTimeout(() => this.#source === source && this.#listen(), REOPEN_MS);
  }

  #leave() {
    clearTimeout(this.#reopening);
    this.#source?.close();
    this.#source = null;
    this.#turns = null;
  }

  #pass(name, data) {
    this.#remember(name, data);
    this.#channel?.postMessage({ name, data });
    this.#onEvent(name, data);
  }

  #remember(name, data) {
    if (name === "turns") this.#turns = new Map(data.turns.map((view) => [view.message, view]));
    if (name === "turn") this.#turns?.set(data.message, data);
    if (name === "cleared") this.#turns?.clear();
  }

  // All tabs

  #hear({ ask, to, name, data }) {
    if (ask) {
      if (!this.leads) return;
      const known = this.#turns && { turns: [...this.#turns.values()] };
      this.#channel.postMessage(known ? { to: ask, name: "turns", data: known } : { to: ask, name: "trouble", data: {} });
    } else if (!to || to === this.#id) {
      clearTimeout(this.#asking);
      this.#asking = null;
      this.#onEvent(name, data);
    }
  }
}

/** Be the one tab that listens by itself; gives a function that ends it. `onLost` tells that another tab does now. */
export function listenAlone(onLost) {
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  navigator.locks?.request(LISTENING_LOCK, { steal: true }, () => held).catch(onLost);
  return release;
}
