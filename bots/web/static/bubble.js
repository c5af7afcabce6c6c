/** A recording as a bubble: its loudness over time, played back, and what can be done while it is not sent. */

import { text } from "./texts.js";

export const PEAKS = 44;
const QUIETEST = 0.08; // a silence is drawn as a dot
const HALF = 14; // of the height, in the picture's own units

/** Give a length as minutes and seconds. */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Draw 44 upright bars for as many peaks, 0 to 1 each. */
function drawn(peaks) {
  const bar = (_, index) => {
    const half = HALF * Math.min(1, Math.max(QUIETEST, Number(peaks?.[index]) || 0));
    return `M${4 * index + 2} ${(16 - half).toFixed(1)}v${(2 * half).toFixed(1)}`;
  };
  return Array.from({ length: PEAKS }, bar).join("");
}

export class RecordingBubble {
  #question;
  #recording = null;
  #playing = false;

  /** `question` is the part of a turn that shows what was asked. */
  constructor(question) {
    this.#question = question;
    this.#part("listen").addEventListener("click", () => this.#toggle());
    this.#part("submit").addEventListener("click", () => this.#recording.send?.());
    this.#part("discard").addEventListener("click", () => this.#recording.discard?.());
  }

  get shown() {
    return Boolean(this.#recording);
  }

  /**
   * Show a recording, or what has become of it.
   *
   * @param {{id?: string, seconds: number, peaks?: number[], state: "draft"|"waiting"|"sent",
   *   play: () => Promise<void>, stop: () => void, send?: () => void, discard?: () => void}} recording
   *   `play` settles when it was played or stopped; it rejects when it cannot be played.
   */
  show(recording) {
    this.#recording = recording;
    this.#part("recording").hidden = false;
    this.#part("length").textContent = clock(recording.seconds);
    for (const path of this.#question.querySelectorAll(".wave path")) path.setAttribute("d", drawn(recording.peaks));
    this.#part("recording").style.setProperty("--seconds", `${Math.max(0.1, recording.seconds)}s`);
    this.#setPlaying(this.#playing);
    this.#deliver(recording.state);
  }

  #part(name) {
    return this.#question.querySelector(`.${name}`);
  }

  #deliver(state) {
    this.#question.dataset.delivery = state;
    this.#part("delivery").hidden = state === "sent";
    this.#part("state").textContent = state === "sent" ? "" : text(state === "draft" ? "draft" : "not-sent-yet");
    this.#part("submit").hidden = state !== "draft";
    this.#part("submit").textContent = text("send");
    this.#part("discard").textContent = text("discard");
  }

  async #toggle() {
    if (this.#playing) return this.#recording.stop();
    this.#setPlaying(true);
    try {
      await this.#recording.play();
    } catch {
      this.#part("delivery").hidden = false;
      this.#part("state").textContent = text("unplayable");
    } finally {
      this.#setPlaying(false);
    }
  }

  #setPlaying(playing) {
    this.#playing = playing;
    this.#part("recording").classList.toggle("playing", playing);
    this.#part("listen").setAttribute("aria-label", text(playing ? "stop-listening" : "listen-recording"));
  }
}
