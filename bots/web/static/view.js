/** What the page shows: the status, and a turn after the other. */

import { RecordingBubble } from "./bubble.js";
import { copyText } from "./clipboard.js";
import { stamp, timeText } from "./days.js";
import { MarkdownView, sentenceRange } from "./markdown.js";
import { followEnd, toEnd } from "./scrolling.js";
import { text } from "./texts.js";

const COPIED_MS = 2000;
const LABELS = { replay: "replay-this", details: "details-of", copy: "copy", download: "download", ask: "ask-again" };
const ANNOUNCED = 1000; // characters that a screen reader is given at once
const byId = (id) => document.getElementById(id);
const log = byId("log");
const spokenNow = globalThis.Highlight ? new Highlight() : null; // drawn by the style sheet, where browsers know how
if (spokenNow) CSS.highlights.set("spoken", spokenNow);

followEnd(byId("log"), byId("newest"));
writeWithEnter(byId("text"));
for (const example of document.querySelectorAll(".example")) {
  example.addEventListener("click", () => {
    document.dispatchEvent(new CustomEvent("june:ask", { detail: { text: example.textContent } }));
  });
}

/** Say how things are: in a word for the style sheet, in a sentence for people. */
export function show(state, sentence = "") {
  document.body.dataset.state = state;
  const status = byId("status");
  if (status.textContent !== sentence) status.textContent = sentence;
}

/** Say something to those who cannot see it: it stands in the log as well. */
export function announce(sentence) {
  byId("announced").textContent = sentence.slice(0, ANNOUNCED);
}

/** Mark the sentence of an answer that is being spoken, by its place in `view.speech`; null marks none. */
export function speaking(card, index = 0) {
  spokenNow?.clear();
  const sentences = card?.view?.speech ?? [];
  if (!spokenNow || !sentences[index]?.text) return;
  const range = sentenceRange(card.element.querySelector(".answer"), sentences.map((spoken) => spoken.text), index);
  if (range) spokenNow.add(range);
}

/**
 * A turn in the log.
 *
 * `handlers`: `replay(view)` plays the answer again; `askAgain(view)` asks the same as a new turn;
 * `listen(question)` plays the recording that the server kept (a promise that settles when it was played or
 * stopped), and `silence()` stops it.
 */
export class TurnCard {
  #answer;
  #bubble;
  #handlers;
  #at = 0;

  constructor(handlers = {}) {
    this.#handlers = handlers;
    this.view = { answer: "", speech: [], transcript: "" };
    this.element = byId("turn").content.cloneNode(true).querySelector(".turn");
    this.element.classList.add("going");
    this.#answer = new MarkdownView(this.#part("answer"), announce);
    this.#bubble = new RecordingBubble(this.#part("question"));
    this.#name();
    this.#act();
    log.append(this.element);
    byId("welcome").hidden = true;
    this.#stamp(Date.now() / 1000);
  }

  #part(name) {
    return this.element.querySelector(`.${name}`);
  }

  /** Name what is in it, in the reader's language. */
  #name() {
    this.#part("you").textContent = text("you");
    this.#part("heard").textContent = text("heard");
    this.#part("replay").querySelector("span").textContent = text("replay");
    this.#part("details").textContent = text("details");
    for (const [name, label] of Object.entries(LABELS)) {
      this.#part(name).setAttribute("aria-label", text(label));
      this.#part(name).title = text(label);
    }
  }

  #act() {
    this.#part("replay").addEventListener("click", () => this.#handlers.replay?.(this.view));
    this.#part("ask").addEventListener("click", () => this.#handlers.askAgain?.(this.view));
    this.#part("copy").addEventListener("click", () => this.#copy());
  }

  #stamp(at) {
    if (at === this.#at) return;
    this.#at = at;
    stamp(this.element, at);
  }

  async #copy() {
    const copy = this.#part("copy");
    await copyText(this.view.answer);
    copy.classList.add("done");
    announce(text("copied"));
    setTimeout(() => copy.classList.remove("done"), COPIED_MS);
  }

  /** Show what was typed, before anybody has answered. */
  said(words) {
    this.#part("said").textContent = words;
    toEnd();
  }

  /** Show a recording as what was asked; see `RecordingBubble.show`. */
  recorded(recording) {
    this.#bubble.show(recording);
    this.element.dataset.state = recording.state;
    this.#part("heard").hidden = !this.#part("said").textContent;
  }

  /** Show all that is known of the turn. */
  update(view) {
    this.view = view;
    if (view.at) this.#stamp(view.at);
    this.element.classList.toggle("going", !view.done);
    this.#ask(view);
    this.#reply(view);
    this.#about(view);
  }

  #ask(view) {
    const said = this.#part("said");
    if (view.transcript) said.textContent = view.transcript;
    if (view.question && !this.#bubble.shown) {
      const play = async () => this.#handlers.listen?.(view.question);
      const stop = () => this.#handlers.silence?.();
      this.#bubble.show({ ...view.question, state: "sent", play, stop });
    }
    this.#part("heard").hidden = !(this.#bubble.shown && said.textContent);
    said.hidden = Boolean(view.done || this.#bubble.shown) && !said.textContent;
    this.#part("question").hidden = said.hidden && !this.#bubble.shown;
  }

  #reply(view) {
    const answer = view.answer ?? "";
    const heard = view.stopped ? (view.heard_chars ?? null) : null;
    this.#answer.update(answer, { done: view.done, heard });
    const partly = heard !== null && heard < answer.length;
    this.#part("stopped").hidden = !view.stopped;
    this.#part("stopped").textContent = view.stopped ? text(partly ? "stopped-partly" : "stopped") : "";
    this.#part("notice").textContent = view.notice ?? "";
    this.#part("notice").hidden = !view.notice;
    this.#part("files").replaceChildren(...(view.files ?? []).map(fileLink));
    this.#part("files").hidden = !view.files?.length;
  }

  #about(view) {
    this.#part("replay").hidden = !(view.reply || view.speech?.length);
    this.#part("copy").hidden = !view.answer;
    this.#part("ask").hidden = !(view.transcript && view.done && !view.once && this.#handlers.askAgain);
    this.#part("download").hidden = !view.reply;
    if (view.reply) {
      this.#part("download").href = view.reply.url;
      this.#part("download").download = fileName(view.reply.url, this.#at);
    }
    const seconds = (view.total_ms / 1000).toFixed(1);
    this.#part("time").textContent = view.total_ms ? text("seconds", { seconds }) : "";
    this.#part("details").hidden = !view.link;
    if (view.link) this.#part("details").href = view.link;
  }

  /** Say that it was not taken; what was said or typed can be sent again. */
  unsent(sentence, onAgain) {
    this.update({ answer: "", notice: sentence, speech: [], done: true, transcript: "" });
    const again = this.#part("again");
    again.textContent = text("again");
    again.hidden = false;
    again.addEventListener("click", () => {
      this.remove();
      onAgain();
    }, { once: true });
  }

  /** Take it away: what was typed was a command. */
  remove() {
    if (this.element.previousElementSibling?.matches(".day")) this.element.previousElementSibling.remove();
    this.element.remove();
  }
}

/** Name the file of a spoken reply by when it was asked for: `june-2026-11-27-0631.ogg`. */
function fileName(url, at) {
  const when = new Date(1000 * at);
  const two = (number) => String(number).padStart(2, "0");
  const day = [when.getFullYear(), two(when.getMonth() + 1), two(when.getDate())].join("-");
  const kind = /\.pcm(\?|$)/.test(url) ? "wav" : "ogg"; // the server sends samples as a WAV file
  return `june-${day}-${two(when.getHours())}${two(when.getMinutes())}.${kind}`;
}

/** Offer a file, `{ name, url }`, for download. */
function fileLink({ name, url }) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.textContent = name;
  return link;
}

/** Show a sentence of june's between the turns; `at` is when it was said, in seconds since the epoch. */
export function divide(sentence, { at } = {}) {
  const divider = document.createElement("p");
  const long = sentence.includes("\n") || sentence.length > 80;
  divider.className = long ? "reply aside" : "divider";
  divider.textContent = sentence;
  if (at) {
    const time = document.createElement("time");
    time.dateTime = new Date(at * 1000).toISOString();
    time.textContent = timeText(at);
    divider.append(" ", time);
  }
  log.append(divider);
  byId("welcome").hidden = true;
  toEnd();
}

/** Empty the log. */
export function clear() {
  speaking(null);
  log.replaceChildren();
  byId("welcome").hidden = false;
}

/** Enter sends, Shift and Enter begin a new line; the field grows with what is written. */
function writeWithEnter(field) {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    field.form.requestSubmit();
  });
  if (CSS.supports("field-sizing", "content")) return; // the style sheet does it
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  };
  field.addEventListener("input", fit);
  field.form.addEventListener("submit", () => setTimeout(fit));
}
