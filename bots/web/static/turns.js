/** The turns that are shown, by message. */

import { TurnCard } from "./view.js";

export class Turns {
  #byMessage = new Map();
  #handlers;
  #onChange;

  /** `handlers` are those of each card (see view.js); `onChange` is told when a turn goes. */
  constructor(handlers, onChange) {
    this.#handlers = handlers;
    this.#onChange = onChange;
  }

  get size() {
    return this.#byMessage.size;
  }

  /**
   * Show a turn at the end. `own`: it was asked in this tab, which speaks the answer; `stage`: "sending", or "draft" for
   * what nobody has sent. Others set `take` (its recording), `message` (until an answer begins), `delivered`, `quiet` (not
   * spoken any further), `left` (something else was said over it), `trouble`.
   */
  add(id, { own = false, stage = "sending" } = {}) {
    const card = new TurnCard(this.#handlers);
    const turn = { id, card, own, view: { stage, ahead: 0, done: false, speech: [] }, played: 0 };
    this.#byMessage.set(id, turn);
    return turn;
  }

  get(id) {
    return this.#byMessage.get(id);
  }

  remove(id) {
    const turn = this.#byMessage.get(id);
    if (!turn) return;
    turn.card.remove();
    this.#byMessage.delete(id);
    this.#onChange();
  }

  /** Forget all; the log is emptied by others. */
  clear() {
    this.#byMessage.clear();
    this.#onChange();
  }

  all() {
    return [...this.#byMessage.values()];
  }

  /** Those that are under way or wait. */
  open() {
    return this.all().filter((turn) => !turn.view.done && turn.view.stage !== "draft");
  }
}
