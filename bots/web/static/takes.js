/** Recordings, kept in the browser until the server has them, and afterwards for playing. */

import { RATE, joined, peaksOf } from "./pcm.js";
import { LastingTakes, PassingTakes } from "./takes-storage.js";

const MAX_TAKES = 50;
const MAX_BYTES = 100e6;
const SHORTEST_SECONDS = 0.3;

/**
 * Open the store that all tabs share. Where the browser refuses one, recordings last as long as the page:
 * `store.lasting` is false then.
 */
export async function openTakes() {
  const lasting = await LastingTakes.open().catch((reason) => {
    console.warn("recordings last as long as this page:", reason);
    return null;
  });
  return new Takes(lasting);
}

/**
 * Takes: `{ id, at, seconds, peaks, state, interrupts, lasting }`, with `pcm` where one is asked for by its id.
 * `at` is in milliseconds since 1970. What is asked for is done in order, each on what was done before it.
 * `append`, `finish` and `setState` resolve with whether the take is there: another tab may have removed it.
 */
class Takes {
  #lasting;
  #passing = new PassingTakes();
  #moved = new Set(); // ids of those that the browser has no room for
  #recording = new Map(); // by id, what lets go of its lock
  #order = Promise.resolve();

  constructor(lasting) {
    this.#lasting = lasting;
  }

  get lasting() {
    return this.#lasting !== null;
  }

  /** Begin a take, in the state "recording". `interrupts` is the id of the turn that it talks over. */
  add({ id, at, interrupts = null }) {
    return this.#inOrder(async () => {
      await this.#lock(id);
      const row = { id, at, interrupts, seconds: 0, peaks: [], state: "recording", bytes: 0, pieces: 0 };
      try {
        await this.#write(id, (home) => home.add(row));
      } catch (error) {
        this.#unlock(id);
        throw error;
      }
      await this.#makeRoom();
    });
  }

  /** Add a piece (Int16Array) at the take's end. */
  append(id, pcm) {
    const piece = pcm.slice(); // of its own: a view would be stored with all that it is a view of
    return this.#inOrder(() => this.#write(id, (home) => home.append(id, piece)));
  }

  /** Set what is known of a take once it is over. */
  finish(id, { seconds, peaks, state }) {
    return this.#change(id, { seconds, peaks, state });
  }

  /** "recording", "draft" (to be sent or thrown away by a person), "waiting" (for the server) or "sent". */
  setState(id, state) {
    return this.#change(id, { state });
  }

  /** One take with its sound, or null. */
  get(id) {
    return this.#inOrder(async () => {
      const home = this.#home(id);
      const row = await home.row(id);
      return row ? { ...this.#seen(row), pcm: joined(await home.pieces(id)) } : null;
    });
  }

  /** All takes, oldest first; one that was being recorded when its page died is a draft now. */
  list() {
    return this.#inOrder(async () => {
      await this.#recover();
      return (await this.#rows()).map((row) => this.#seen(row));
    });
  }

  remove(id) {
    return this.#inOrder(async () => {
      await this.#lasting?.remove(id);
      await this.#passing.remove(id);
      this.#unlock(id);
    });
  }

  /** Remove all, those of other tabs as well. */
  clear() {
    return this.#inOrder(async () => {
      await this.#lasting?.clear();
      await this.#passing.clear();
      for (const id of [...this.#recording.keys()]) this.#unlock(id);
    });
  }

  #inOrder(work) {
    const done = this.#order.then(work);
    this.#order = done.catch(() => {}); // whoever asked for it is told
    return done;
  }

  #change(id, fields) {
    return this.#inOrder(async () => {
      const there = await this.#write(id, (home) => home.change(id, fields));
      if (this.#moved.has(id)) await this.#settle(id, fields.state);
      else if (fields.state !== "recording") this.#unlock(id);
      await this.#makeRoom();
      return there;
    });
  }

  #home(id) {
    return this.#lasting && !this.#moved.has(id) ? this.#lasting : this.#passing;
  }

  #seen({ bytes, pieces, ...row }) {
    return { ...row, lasting: this.#home(row.id) === this.#lasting };
  }

  async #rows() {
    const lasting = (await this.#lastingRows()).filter((row) => !this.#moved.has(row.id));
    const rows = [...lasting, ...(await this.#passing.rows())];
    return rows.sort((one, other) => one.at - other.at);
  }

  async #lastingRows() {
    try {
      return (await this.#lasting?.rows()) ?? [];
    } catch (error) {
      console.warn("recordings cannot be read:", error);
      return [];
    }
  }

  // Room

  /** Write where the take is; where there is no room, sent ones go, and then it is kept as long as the page. */
  async #write(id, work) {
    for (;;) {
      const home = this.#home(id);
      try {
        return await work(home);
      } catch (error) {
        if (home === this.#passing || error.name === "ConstraintError") throw error; // the id is taken
        if (error.name === "QuotaExceededError" && (await this.#removeOldestSent())) continue;
        console.warn("a recording lasts as long as this page:", error);
        await this.#move(id);
      }
    }
  }

  /**
   * Keep a take in memory from now on. What was written of it stays, under its lock, so that a page which dies leaves
   * at least that.
   */
  async #move(id) {
    this.#moved.add(id);
    try {
      const row = await this.#lasting.row(id);
      if (!row) return;
      await this.#passing.add({ ...row, bytes: 0, pieces: 0 });
      for (const piece of await this.#lasting.pieces(id)) await this.#passing.append(id, piece);
    } catch (error) {
      console.warn("what was recorded so far cannot be read:", error);
    }
  }

  /** A moved take that was sent needs what was written of it no more. */
  async #settle(id, state) {
    if (state !== "sent") return;
    await this.#lasting.remove(id);
    this.#unlock(id);
  }

  /** Keep to the limits; what was not sent stays in any case. */
  async #makeRoom() {
    const rows = await this.#rows();
    const isOver = () => rows.length > MAX_TAKES || rows.reduce((sum, row) => sum + row.bytes, 0) > MAX_BYTES;
    while (isOver()) {
      const index = rows.findIndex((row) => row.state === "sent");
      if (index < 0) return;
      const [row] = rows.splice(index, 1);
      await this.#home(row.id).remove(row.id);
    }
  }

  async #removeOldestSent() {
    const sent = (await this.#lastingRows()).filter((row) => row.state === "sent");
    const [oldest] = sent.sort((one, other) => one.at - other.at);
    if (oldest) await this.#lasting.remove(oldest.id);
    return Boolean(oldest);
  }

  // Pages that die: a take that is recorded has a lock, which goes with its page.

  /** Hold the take's lock; without a secure context there are none, and no microphone either. */
  #lock(id) {
    if (!navigator.locks) return undefined;
    return new Promise((resolve, reject) => {
      const hold = (lock) => {
        if (!lock) throw new Error(`there is a take ${id} already`);
        return new Promise((release) => resolve(this.#recording.set(id, release)));
      };
      navigator.locks.request(lockName(id), { ifAvailable: true }, hold).catch(reject);
    });
  }

  #unlock(id) {
    this.#recording.get(id)?.();
    this.#recording.delete(id);
  }

  async #recover() {
    if (!navigator.locks || !this.#lasting) return;
    for (const { id, state } of await this.#lastingRows()) {
      if (state !== "recording") continue;
      await navigator.locks.request(lockName(id), { ifAvailable: true }, (lock) => lock && this.#salvage(id));
    }
  }

  /** Make a draft of what an ended page has recorded. */
  async #salvage(id) {
    const row = await this.#lasting.row(id);
    if (row?.state !== "recording") return; // its page has just finished it
    const pcm = joined(await this.#lasting.pieces(id));
    const seconds = pcm.length / RATE;
    if (seconds < SHORTEST_SECONDS) await this.#lasting.remove(id);
    else await this.#write(id, (home) => home.change(id, { seconds, peaks: peaksOf(pcm), state: "draft" }));
  }
}

const lockName = (id) => `june-take-${id}`;
