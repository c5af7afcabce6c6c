/** Watches a microphone for speech: frames go to a Worker, what they mean is told to the handlers. */

import { joined, rmsOf } from "./pcm.js";
import { FRAME_MS, SpeechDetector } from "./vad.js";

const FRAME = 512; // samples
const WORKER = new URL("vad-worker.js", import.meta.url);

export class SpeechWatch {
  #handlers;
  #detector;
  #worker = new Worker(WORKER, { type: "module" });
  #echo;
  #release;
  #blocks = [];
  #asked = []; // the levels of frames whose probability is not known yet

  /**
   * Handlers, all optional: `onStart({ preRollMs })`, to begin a take with; then `onEnd()`, or `onMisfire()` if it was
   * nothing. Over june's own sound `onMaybe()` comes first, and june is to be silent until the onStart (then for good) or
   * onMisfire that follows. `echo()` gives june's output as it is played (RMS, 0 to 1; 0 while it is silent). `slow`
   * waits longer for the end.
   */
  constructor({ slow = false, echo = () => 0, ...handlers }, learnt, release) {
    this.#handlers = { onStart() {}, onEnd() {}, onMisfire() {}, onMaybe() {}, ...handlers };
    this.#detector = new SpeechDetector({ slow, echo: learnt });
    this.#echo = echo;
    this.#release = release;
    /** Resolves once frames are looked at; rejects where the browser cannot. What is said meanwhile is not missed. */
    this.ready = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => {
        if (data.ready) resolve();
        else if (data.error) reject(new Error(data.error));
        else this.#judge(data.probability);
      };
      this.#worker.onerror = (event) => reject(new Error(event.message ?? "no speech detector"));
    });
    this.ready.catch((error) => {
      console.warn("speech is not detected:", error);
      this.stop();
    });
  }

  /** A block of the microphone, half a frame long. */
  hear(block) {
    this.#blocks.push(block);
    if (this.#blocks.length * block.length < FRAME) return;
    const pcm = joined(this.#blocks);
    this.#blocks = [];
    this.#asked.push({ level: rmsOf(pcm), echo: this.#echo() });
    const frame = Float32Array.from(pcm, (sample) => sample / 32768);
    this.#worker.postMessage(frame, [frame.buffer]);
  }

  stop() {
    this.#worker.terminate();
    this.#worker.onmessage = null;
    this.#release();
  }

  #judge(probability) {
    const found = this.#detector.frame({ probability, ...this.#asked.shift() });
    if (found?.name === "start") {
      const lateMs = this.#asked.length * FRAME_MS; // the Worker is behind
      this.#handlers.onStart({ preRollMs: found.preRollMs + lateMs });
    } else if (found) {
      this.#handlers[{ end: "onEnd", misfire: "onMisfire", maybe: "onMaybe" }[found.name]]();
    }
  }
}
