/** What the page shows: the status, and a turn after the other. */

import { text } from "./texts.js";

const byId = (id) => document.getElementById(id);
const log = byId("log");

/** Say how things are: in a word for the style sheet, in a sentence for people. */
export function show(state, sentence = "") {
  document.body.dataset.state = state;
  const status = byId("status");
  if (status.textContent !== sentence) status.textContent = sentence;
}

/** Say something to those who cannot see it: it stands in the log as well. */
export function announce(sentence) {
  byId("announced").textContent = sentence.slice(0, 1000);
}

/** A turn in the log. */
export class TurnCard {
  constructor(onReplay) {
    this.element = byId("turn").content.cloneNode(true).querySelector(".turn");
    this.element.classList.add("going");
    const replay = this.#part("replay");
    replay.querySelector("span").textContent = text("replay");
    replay.setAttribute("aria-label", text("replay-this"));
    replay.addEventListener("click", () => onReplay(this.view));
    const details = this.#part("details");
    details.textContent = text("details");
    details.setAttribute("aria-label", text("details-of"));
    log.append(this.element);
    byId("welcome").hidden = true;
  }

  #part(name) {
    return this.element.querySelector(`.${name}`);
  }

  /** Show what was typed, before anybody has answered. */
  said(words) {
    this.#part("said").textContent = words;
    reveal(this.element);
  }

  /** Show all that is known of the turn. */
  update(view) {
    this.view = view;
    const near = isNearEnd();
    if (view.transcript) this.#part("said").textContent = view.transcript;
    this.#part("answer").textContent = view.answer;
    this.#part("notice").textContent = view.notice ?? "";
    this.#part("notice").hidden = !view.notice;
    this.#part("replay").hidden = !(view.reply || view.speech.length);
    this.#part("time").textContent = view.total_ms ? text("seconds", { seconds: (view.total_ms / 1000).toFixed(1) }) : "";
    this.#part("details").hidden = !view.link;
    this.#part("details").href = view.link;
    this.element.classList.toggle("going", !view.done);
    if (view.done && !view.transcript && !this.#part("said").textContent) this.#part("said").hidden = true;
    if (near) reveal(this.element);
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
    this.element.remove();
  }
}

/** Show a sentence of june's between the turns. */
export function divide(sentence) {
  const divider = document.createElement("p");
  divider.className = sentence.includes("\n") || sentence.length > 80 ? "reply aside" : "divider";
  divider.textContent = sentence;
  log.append(divider);
  byId("welcome").hidden = true;
  reveal(divider);
}

/** Empty the log. */
export function clear() {
  log.replaceChildren();
  byId("welcome").hidden = false;
}

function isNearEnd() {
  const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
  return scrollHeight - scrollTop - clientHeight < 160;
}

function reveal() {
  window.scrollTo({ top: document.documentElement.scrollHeight });
}
