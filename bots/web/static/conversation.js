/** What becomes of the chat: the answers, what is heard of them, and how they end. */

import * as api from "./api.js";
import { Asking } from "./asking.js";
import { forgetLines, keepLine, readLines } from "./lines.js";
import { Turns } from "./turns.js";
import { announce, clear, divide, speaking } from "./view.js";

const STOP_TRIES = 6;
const STOP_PAUSE_MS = 1000;
const LATE_MS = 60_000; // Temporal lists a turn some time after it has ended

export class Conversation {
  asking;
  #turns;
  #lines = new Set(); // ids of those that are shown
  #speaker;
  #player;
  #page;
  #chat;
  #shown = false;

  /**
   * `chat` names it; `speaker` is june's voice, `player` plays recordings, `takes` keeps them. `page` gets `changed()`,
   * `say(key)`, `settings(session)`, `writeBack(words)`, `tellTabs(name)`, and gives `text(key)`.
   */
  constructor({ chat, speaker, player, takes, page }) {
    this.#chat = chat;
    this.#speaker = speaker;
    this.#player = player;
    this.#page = page;
    const handlers = {
      replay: (view) => this.#replay(view),
      askAgain: (view) => this.asking.again(view),
      listen: (question) => this.#listen(question.url),
      silence: () => this.#listen(null),
    };
    this.#turns = new Turns(handlers, page.changed);
    const line = (said) => this.#line(said);
    const listen = (source) => this.#listen(source);
    this.asking = new Asking({ turns: this.#turns, takes, page: { ...page, line }, listen });
  }

  /** The turn that is answered now, as far as this tab cares, or none. */
  get current() {
    const open = this.#turns.open().filter((turn) => !turn.left);
    return open.find((turn) => turn.own) ?? open[0];
  }

  /** Whether talking now ends an answer, beside what is heard. */
  get isInterruptible() {
    return this.#turns.open().some((turn) => givesWay(turn) && !turn.left);
  }

  // Giving way, and stopping

  /** Somebody talks over june: be silent; gives what was heard of which answer (`{ message, chars }`), or null. */
  interrupt() {
    const heard = this.#heard();
    for (const turn of this.#turns.open()) if (givesWay(turn)) turn.left = true;
    this.silence();
    return heard;
  }

  /** End what gave way while a person still talks, so that the message they will send (its id) need not wait for it. */
  endBefore(message, heard) {
    api.stop(heard, { before: message }).catch(() => {}); // the message ends it as well
  }

  /** What gave way counts again: nothing was said over it after all. */
  resume() {
    for (const turn of this.#turns.all()) turn.left = false;
    this.#page.changed();
  }

  /** Be silent, for all that is under way. */
  silence() {
    for (const turn of this.#turns.all()) turn.quiet = true;
    this.#speaker.stop();
    this.#player.stop();
    speaking(null);
  }

  /** End all answers, and take back what was not sent. */
  stop() {
    const open = this.#turns.open();
    const heard = this.#heard();
    this.silence();
    for (const turn of open) turn.left = true;
    const unsent = this.asking.takeBack();
    this.#page.tellTabs("silence");
    if (open.length || heard) this.#tellStop(heard, unsent);
    this.#page.changed();
  }

  /** What is heard of june's answers at this moment; of one that is written, and not heard yet, it is nothing. */
  #heard() {
    const spoken = this.#turns.all().findLast((turn) => this.#speaker.begun(turn.id));
    const turn = (this.#speaker.busy && spoken) || this.#turns.open().find((open) => givesWay(open) && !open.left);
    if (!turn) return null;
    return { message: turn.id, chars: turn.view.speech[this.#speaker.begun(turn.id) - 1]?.end ?? 0 };
  }

  /** Tell the server until it is told, or something new was asked. */
  async #tellStop(heard, unsent) {
    const { asked } = this.asking;
    for (let tries = 0; tries < STOP_TRIES && asked === this.asking.asked; tries++) {
      try {
        await api.stop(heard, { unsent });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, STOP_PAUSE_MS));
      }
    }
    if (asked === this.asking.asked) this.#page.say("out-of-reach");
  }

  // What the server tells

  /** Hear an event of the stream, or of another tab. */
  async hear(name, data) {
    if (name === "turns") await this.#showAll(data.turns);
    if (name === "turn") await this.#show(data);
    if (name === "said") this.#line(data);
    if (name === "cleared") this.#cleared();
    if (name === "settings") this.#page.settings(data);
    if (name === "silence") this.silence();
    if (name === "trouble") for (const turn of this.#turns.open()) turn.trouble = true;
    this.#page.changed();
  }

  /** Show the last turns: all at the beginning, what has changed after the connection was cut. */
  async #showAll(views) {
    const rows = await this.asking.rows();
    const told = new Set(views.map((view) => view.message));
    const entries = views.map((view) => [view.at || Infinity, () => this.#show(view, rows)]);
    if (!this.#shown) entries.push(...this.#kept(), ...this.asking.kept(rows, told));
    for (const [, show] of entries.sort(([one], [other]) => one - other)) await show();
    if (this.#shown) this.#removeGone(views, told);
    this.asking.insist(told);
    if (!this.#shown && !this.#turns.size && !this.#lines.size) clear();
    this.#shown = true;
  }

  #kept() {
    return readLines(this.#chat).map((line) => [line.at, () => this.#line(line)]);
  }

  /** Turns that the server no longer knows were deleted, in another tab or elsewhere. */
  #removeGone(views, told) {
    const oldest = Math.min(...views.map((view) => view.at || Infinity));
    const isGone = ({ id, view, ended }) =>
      !told.has(id) && (!views.length || (view.at >= oldest && performance.now() - ended > LATE_MS));
    for (const turn of this.#turns.all()) if (turn.ended && isGone(turn)) this.#turns.remove(turn.id);
  }

  async #show(view, rows) {
    const known = this.#turns.get(view.message);
    const turn = known ?? this.#turns.add(view.message);
    if (turn.view.stage !== view.stage) performance.mark(`june:stage:${view.stage}`);
    const first = turn.view.stage === "sending" || turn.view.stage === "draft";
    turn.view = view;
    turn.trouble = false;
    if (first) this.asking.told(turn);
    if (!known) this.asking.find(turn, rows ?? (await this.asking.rows()));
    turn.card.update(view);
    this.#speak(turn);
    if (view.done) this.#ended(turn);
  }

  /** Speak what is new, in the tab where it was asked. */
  #speak(turn) {
    if (!turn.own || turn.quiet) turn.played = Infinity;
    for (const [index, spoken] of turn.view.speech.entries()) {
      if (index < turn.played) continue;
      turn.played = index + 1;
      const onBegin = () => speaking(turn.card, index);
      this.#play(spoken.url, { of: turn.id, onBegin });
    }
  }

  #ended(turn) {
    turn.ended ??= performance.now();
    turn.left = false;
    if (turn.own && turn.view.stopped && !turn.quiet) this.silence(); // by another tab
    // Who hears the answer need not have it read out as well.
    if (turn.own && !this.#speaker.busy) announce([turn.view.answer, turn.view.notice].filter(Boolean).join(" "));
  }

  #line(line) {
    this.#turns.remove(line.id); // the tab where the command was typed has shown it
    if (this.#lines.has(line.id)) return;
    this.#lines.add(line.id);
    keepLine(this.#chat, line);
    divide(line.text, { at: line.at });
    if (this.#shown) announce(line.text);
  }

  #cleared() {
    this.silence();
    this.asking.clear();
    this.#lines.clear();
    forgetLines();
    this.#turns.clear();
    clear();
  }

  // Sound

  /** Play an answer again: the reply as a whole, or its sentences where the browser cannot play that. */
  async #replay(view) {
    this.#speaker.stop();
    this.#player.stop();
    try {
      if (!view.reply) throw new Error("only sentences");
      await this.#speaker.play(view.reply.url);
    } catch {
      for (const spoken of view.speech) this.#play(spoken.url);
      if (!view.speech.length) this.#page.say("unplayable");
    }
  }

  #play(url, options) {
    this.#speaker.play(url, options).catch(() => this.#page.say("unplayable"));
  }

  /** Play a recording of the person's own; null ends that. */
  #listen(source) {
    this.#player.stop();
    if (source === null) return undefined;
    this.#speaker.stop();
    return this.#player.play(source);
  }
}

/** What was asked here, and has arrived: what has not is answered as well, before what is said meanwhile. */
const givesWay = (turn) => turn.own && turn.view.stage !== "sending";
