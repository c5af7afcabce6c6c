/** When somebody begins to speak and when they have ended, from the probability of speech of each frame. Pure. */

import { BargeIn } from "./barge-in.js";

export const FRAME_MS = 32;
const ON = 0.5;
const OFF = 0.35;
const END_MS = 800;
const SLOW_END_MS = 1400; // for who speaks slowly
const SHORTEST_MS = 256;
const PRE_ROLL_MS = 500;

/**
 * Give it each frame; it tells what that means, if anything:
 * - `{ name: "start", preRollMs }`: somebody speaks, since less than `preRollMs` ago;
 * - `{ name: "end" }`: they have ended, and were silent for the time that this takes;
 * - `{ name: "misfire" }`: what began, or may have begun, was too short or june's own sound;
 * - `{ name: "maybe" }`: somebody may be talking over june: a "start" or a "misfire" follows.
 */
export class SpeechDetector {
  #endMs;
  #bargeIn;
  #speaking = false;
  #spokenMs = 0; // up to the last frame that was speech for sure
  #quietMs = 0; // since then

  /** `echo` is an object in which is kept what is learnt of june's own sound in this microphone. */
  constructor({ slow = false, echo = {} } = {}) {
    this.#endMs = slow ? SLOW_END_MS : END_MS;
    this.#bargeIn = new BargeIn(echo);
  }

  /** `probability` of speech; `level` of the microphone and `echo`, that of june's own output, both as RMS from 0 to 1. */
  frame({ probability, level, echo }) {
    const over = this.#bargeIn.frame({ probability, level, echo, speaking: this.#speaking });
    if (this.#speaking) return this.#goOn(probability);
    if (over.active) return this.#judge(over);
    if (probability >= ON) return this.#begin(over.onsetMs);
    return over.name === "misfire" ? { name: "misfire" } : null;
  }

  #judge({ name, onsetMs }) {
    return name === "start" ? this.#begin(onsetMs) : name && { name };
  }

  #begin(onsetMs) {
    this.#speaking = true;
    this.#spokenMs = FRAME_MS + onsetMs;
    this.#quietMs = 0;
    return { name: "start", preRollMs: PRE_ROLL_MS + onsetMs };
  }

  #goOn(probability) {
    if (probability >= ON) {
      this.#spokenMs += this.#quietMs + FRAME_MS;
      this.#quietMs = 0;
    } else if (this.#quietMs || probability < OFF) {
      this.#quietMs += FRAME_MS;
    } else {
      this.#spokenMs += FRAME_MS;
    }
    if (this.#quietMs < this.#endMs) return null;
    this.#speaking = false;
    return { name: this.#spokenMs < SHORTEST_MS ? "misfire" : "end" };
  }
}
