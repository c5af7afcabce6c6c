/** What is asked here: texts and recordings, on their way to the server, kept until they are there, or drafts. */

import * as api from "./api.js";
import { wavOf } from "./capture.js";
import { Outbox } from "./outbox.js";
import { forgetText, forgetTexts, keepText, readTexts } from "./unsent.js";

const SIGNED_OUT = 401;
const TOO_LARGE = 413;
const LOCK = "june-sending-";

export class Asking {
  asked = 0; // messages so far
  #turns;
  #takes;
  #page;
  #listen;
  #outbox;

  /** `page` gets `say(key)`, `changed()`, `line(line)`, `writeBack(words)`; `listen(source)` plays a recording. */
  constructor({ turns, takes, page, listen }) {
    this.#turns = turns;
    this.#takes = takes;
    this.#page = page;
    this.#listen = listen;
    this.#outbox = new Outbox(api.send, {
      onTaken: (message, { said }) => this.#taken(message, said),
      onRefused: (message, error) => this.#refused(message, error),
      onTrouble: (message) => this.#delayed(message),
    });
  }

  // Asking

  /** Ask in writing; `interrupts` says what of june's was heard meanwhile. */
  write(words, interrupts = null) {
    const message = { id: api.newId(), words, at: Date.now(), interrupts };
    keepText(message);
    this.#submit(message);
  }

  /** Change a setting by its command. */
  command(words) {
    this.#outbox.add({ id: api.newId(), words, setting: true });
  }

  /** Send a take: `{ id, at, interrupts, pcm, seconds, peaks }`. */
  sendTake(take) {
    this.#kept(this.#takes.finish(take.id, { seconds: take.seconds, peaks: take.peaks, state: "waiting" }));
    claim(take.id);
    this.#submit({ ...take, sound: wavOf(take.pcm) }, { ...take, state: "sent" });
  }

  /** Show a take that a person may send, hear or throw away. */
  draftTake(take) {
    this.#kept(this.#takes.finish(take.id, { seconds: take.seconds, peaks: take.peaks, state: "draft" }));
    this.#showDraft({ ...take, state: "draft" });
  }

  /** Ask the same once more: by the same recording, where there is one, or by the same words. */
  async again(view) {
    const take = await this.#takes.get(view.message).catch(() => null);
    if (take) return this.#resend(take);
    if (!view.question) return this.write(view.transcript);
    const sound = new Blob([await api.sound(view.question.url)], { type: "audio/wav" });
    this.#submit({ id: api.newId(), sound, seconds: view.question.seconds, at: Date.now() });
  }

  #submit(message, take = null) {
    this.asked++;
    performance.mark("june:asked");
    const turn = this.#turns.add(message.id, { own: true });
    turn.message = message;
    if (message.words) turn.card.said(message.words);
    if (take) this.#showTake(turn, take);
    this.#outbox.add(message);
    this.#page.changed();
  }

  /** Send a recording under a new id: the server may have been told to refuse the one before. */
  async #resend({ pcm, seconds, peaks }) {
    const take = { id: api.newId(), at: Date.now(), interrupts: null, pcm, seconds, peaks };
    await this.#takes.add(take);
    await this.#takes.append(take.id, pcm);
    this.sendTake(take);
  }

  async #sendDraft(id) {
    const take = await this.#takes.get(id);
    this.#turns.remove(id);
    if (take) await this.#resend(take);
    this.#kept(this.#takes.remove(id));
  }

  #discard(id) {
    this.#outbox.takeBack((message) => message.id === id);
    this.#kept(this.#takes.remove(id));
    this.#turns.remove(id);
  }

  // What becomes of it

  #taken(message, said) {
    performance.mark("june:sent");
    forgetText(message.id);
    const turn = this.#turns.get(message.id);
    if (!said) {
      if (turn) this.arrived(turn);
    } else if (message.words?.startsWith("/")) {
      this.#page.line({ id: message.id, text: said, at: Date.now() / 1000 });
    } else {
      this.#turnDown(message, said);
    }
    this.#page.changed();
  }

  #refused(message, error) {
    if (error.status === SIGNED_OUT) return location.reload();
    this.#turnDown(message, this.#page.text(error.status === TOO_LARGE ? "too-large" : "unsent"));
  }

  /** It was not taken: a recording is a draft then, a text can be sent again. */
  #turnDown(message, sentence) {
    forgetText(message.id);
    const turn = this.#turns.get(message.id);
    if (turn) this.#offerAgain(turn, message, sentence);
    this.#page.changed();
    this.#page.say(sentence);
  }

  #offerAgain(turn, message, sentence) {
    turn.view = { ...turn.view, stage: "draft" };
    if (turn.take) return this.#setTake(turn, "draft");
    return turn.card.unsent(sentence, () => {
      this.#turns.remove(message.id);
      if (message.words) this.write(message.words);
      else this.#submit({ ...message, id: api.newId() });
    });
  }

  #delayed(message) {
    const turn = this.#turns.get(message.id);
    if (!turn) return;
    turn.trouble = true;
    if (turn.take) this.#showTake(turn, { ...turn.take, state: "waiting" });
    this.#page.changed();
  }

  /** The server has it. */
  arrived(turn) {
    turn.trouble = false;
    turn.delivered = true;
    release(turn.id);
    if (turn.take) this.#setTake(turn, "sent");
  }

  /** The server tells of it. */
  told(turn) {
    const onItsWay = this.#outbox.takeBack((message) => message.id === turn.id);
    if (onItsWay.length) performance.mark("june:sent"); // its answer is slower than the stream
    forgetText(turn.id);
    turn.message = null;
    if (turn.own || turn.take) this.arrived(turn);
  }

  /** Take back what was not sent; gives the ids of those messages. */
  takeBack() {
    const back = this.#outbox.takeBack((message) => !message.setting);
    for (const { id, words } of back) {
      const turn = this.#turns.get(id);
      release(id);
      forgetText(id);
      if (turn?.take) {
        turn.view = { ...turn.view, stage: "draft" };
        this.#setTake(turn, "draft");
      } else {
        this.#turns.remove(id);
        if (words) this.#page.writeBack(words);
      }
    }
    return back.map((message) => message.id);
  }

  /** Send again what the server has taken, and does not know after the connection was cut: it is answered once. */
  insist(told) {
    const lost = this.#turns.open().filter((turn) => turn.delivered && turn.message && !told.has(turn.id));
    for (const turn of lost) this.#outbox.add(turn.message);
  }

  /** The connection may be back. */
  retry() {
    this.#outbox.retry();
  }

  /** Throw away all that is kept. */
  clear() {
    this.#outbox.takeBack((message) => !message.setting);
    forgetTexts();
    this.#kept(this.#takes.clear());
  }

  // What the browser has kept

  /** All takes, without their sound. */
  rows() {
    return this.#takes.list().catch(() => []);
  }

  /** What was not sent when the page was left, as pairs of when it was said and how to show it. */
  kept(rows, told) {
    const unsent = rows.filter((row) => !told.has(row.id) && (row.state === "draft" || row.state === "waiting"));
    const takes = unsent.map((row) => [row.at / 1000, () => this.#restore(row)]);
    const waiting = readTexts().filter((message) => !told.has(message.id));
    return [...takes, ...waiting.map((message) => [message.at / 1000, () => this.#submit(message)])];
  }

  async #restore(row) {
    if (row.state === "draft") return this.#showDraft(row);
    if (!(await claim(row.id))) return undefined; // another tab sends it
    const { pcm } = await this.#takes.get(row.id);
    return this.#submit({ ...row, sound: wavOf(pcm) }, row);
  }

  #showDraft(take) {
    this.#showTake(this.#turns.add(take.id, { stage: "draft" }), take);
    this.#page.changed();
  }

  /** Show the recording that a turn of before was asked by. */
  find(turn, rows) {
    const row = rows.find(({ id }) => id === turn.id);
    if (row && !turn.take) this.#showTake(turn, { ...row, state: "sent" });
    if (row && row.state !== "sent") this.#kept(this.#takes.setState(row.id, "sent"));
  }

  #setTake(turn, state) {
    this.#kept(this.#takes.setState(turn.id, state));
    this.#showTake(turn, { ...turn.take, state });
  }

  #showTake(turn, take) {
    turn.take = take;
    turn.card.recorded({
      id: turn.id,
      seconds: take.seconds,
      peaks: take.peaks,
      state: take.state,
      play: () => this.#play(turn),
      stop: () => this.#listen(null),
      send: () => this.#sendDraft(turn.id),
      discard: () => this.#discard(turn.id),
    });
  }

  async #play({ id, view }) {
    const take = await this.#takes.get(id);
    if (take) return this.#listen(await wavOf(take.pcm).arrayBuffer());
    if (!view.question) throw new Error("the recording is gone");
    return this.#listen(view.question.url);
  }

  /** What is kept for convenience must not cost the message. */
  #kept(done) {
    done.catch((error) => console.warn("a recording is not kept:", error));
  }
}

// Of several tabs the one that sends a recording holds its lock; a tab that goes lets go of it.

const claims = new Map();

/** Claim a recording; resolves with whether no other tab sends it. */
function claim(id) {
  if (!navigator.locks || claims.has(id)) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const hold = (lock) => {
      resolve(lock !== null);
      return lock && new Promise((free) => claims.set(id, free));
    };
    navigator.locks.request(LOCK + id, { ifAvailable: true }, hold).catch(reject);
  });
}

function release(id) {
  claims.get(id)?.();
  claims.delete(id);
}
