/** Messages on their way: sent one after the other, as often as it takes, until they are taken or taken back. */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 6000;

export class Outbox {
  #send;
  #handlers;
  #items = [];
  #running = false;
  #wake = () => {};

  /**
   * `send(message, signal)` sends a message once. `onTaken(message, answer)` and `onRefused(message, error)` end it;
   * `onTrouble(message)` tells that it has to be sent again.
   */
  constructor(send, { onTaken, onRefused, onTrouble }) {
    this.#send = send;
    this.#handlers = { onTaken, onRefused, onTrouble };
  }

  /** Send a message, after those before it. */
  add(message) {
    this.#items.push({ message, leaving: new AbortController() });
    if (!this.#running) this.#run();
  }

  /** Try again now: the connection may be back. */
  retry() {
    this.#wake();
  }

  /** Take back what was not taken yet; gives those messages. One whose sending has begun may arrive nevertheless. */
  takeBack(isWanted = () => true) {
    const back = this.#items.filter((item) => isWanted(item.message));
    this.#items = this.#items.filter((item) => !back.includes(item));
    for (const item of back) item.leaving.abort();
    this.#wake();
    return back.map((item) => item.message);
  }

  async #run() {
    this.#running = true;
    for (let item = this.#items[0], tries = 0; item; item = this.#items[0]) {
      const done = await this.#try(item);
      tries = done ? 0 : tries + 1;
      if (done) this.#items = this.#items.filter((other) => other !== item);
      else await this.#pause(tries);
    }
    this.#running = false;
  }

  /** Send once; resolves with whether that was the end of it. */
  async #try({ message, leaving }) {
    try {
      const answer = await this.#send(message, leaving.signal);
      if (!leaving.signal.aborted) this.#handlers.onTaken(message, answer);
    } catch (error) {
      if (leaving.signal.aborted) return true;
      if (!error.final) {
        this.#handlers.onTrouble(message);
        return false;
      }
      this.#handlers.onRefused(message, error);
    }
    return true;
  }

  #pause(tries) {
    const milliseconds = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
