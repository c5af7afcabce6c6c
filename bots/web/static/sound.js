/** Sound out: sentences played one after the other, each scheduled before the last has ended. */

import { sound } from "./api.js";
import { Sounding } from "./sounding.js";

const PAUSE_SECONDS = 0.15;
const LEAD_SECONDS = 0.01;
const FADE_SECONDS = 0.02;
const REWIND_SECONDS = 0.05; // heard again after a pause: what was faded out
const LONGEST_PAUSE_MS = 2000; // nothing that fails may leave june silent
const ECHO_MS = 300; // what june has said is still in the room
let context;

/** The page's one sound system; it may sleep. */
export function soundSystem() {
  context ??= new AudioContext();
  return context;
}

/** Wake it; browsers want that during a press or a key. */
export function wake() {
  soundSystem();
  if (context.state !== "running") context.resume().catch(() => {}); // at the next press
  return context;
}

/** Whether sound could be heard now. */
export const isAwake = () => context?.state === "running";

/** Plays sounds in order. */
export class Speaker {
  #onChange;
  #order = Promise.resolve();
  #run = null; // what is played until the next stop: { gain, soundings, begun }
  #free = 0; // seconds of the context's clock at which the last sound ends
  #pause = null; // while it lasts: { at: seconds of the context's clock, timer }
  #pending = 0;
  #analyser = null;
  #samples = new Float32Array(1024);
  #loudest = []; // of the last moments: [milliseconds, level]

  /** `onChange(busy)` is called whenever a sound is added, begins or ends. */
  constructor(onChange = () => {}) {
    this.#onChange = onChange;
  }

  get busy() {
    return this.#pending > 0;
  }

  /**
   * Add a sound: an address, or WAV in an ArrayBuffer. Resolves when it was played or stopped, rejects when it cannot be
   * played. `of` says what it is of; `onBegin` is called when it begins.
   */
  play(source, { of = null, onBegin = () => {} } = {}) {
    const run = this.#running();
    const fetched = Promise.resolve(typeof source === "string" ? sound(source) : source)
      .then((data) => wake().decodeAudioData(data));
    fetched.catch(() => {}); // told below, when its turn has come
    this.#pending++;
    this.#onChange(true);
    const scheduled = this.#order.then(async () => this.#schedule(run, await fetched, of, onBegin));
    this.#order = scheduled.then(() => {}, () => {});
    return scheduled.then((sounding) => sounding.ended).finally(() => {
      if (run !== this.#run) return;
      this.#pending--;
      this.#onChange(this.busy);
    });
  }

  /** Be silent (within 20 ms, without a click), and forget what was to come. */
  stop() {
    const run = this.#run;
    if (!run) return this.#endPause();
    this.#run = null;
    this.#pending = 0;
    this.#free = 0;
    this.#endPause();
    this.#order = Promise.resolve();
    const end = context.currentTime + FADE_SECONDS;
    ramp(run.gain.gain, 0, FADE_SECONDS);
    for (const sounding of run.soundings) sounding.stop(end);
    setTimeout(() => run.gain.disconnect(), 1000 * FADE_SECONDS + 100);
    performance.mark("june:silence");
    this.#onChange(false);
  }

  /** How many sounds of something have begun since the last stop. */
  begun(of) {
    const now = this.#now();
    return this.#run?.begun.filter((begun) => begun.of === of && begun.sounding.at <= now).length ?? 0;
  }

  /** Be silent (within 20 ms, without a click) and keep the place, as somebody may be talking; nothing new begins. */
  pause() {
    if (!context || this.#pause) return;
    this.#pause = { at: context.currentTime, timer: setTimeout(() => this.goOn(), LONGEST_PAUSE_MS) };
    performance.mark("june:pause");
    if (!this.#run) return;
    ramp(this.#run.gain.gain, 0, FADE_SECONDS);
    for (const sounding of this.#run.soundings) sounding.pause(context.currentTime + FADE_SECONDS);
  }

  /** Nobody was: go on from a little before that place. */
  goOn() {
    if (!this.#pause) return;
    const from = context.currentTime + LEAD_SECONDS;
    const later = from - this.#pause.at + REWIND_SECONDS;
    this.#endPause();
    performance.mark("june:go-on");
    this.#free += later;
    if (!this.#run) return;
    ramp(this.#run.gain.gain, 1, FADE_SECONDS, from);
    for (const sounding of this.#run.soundings) {
      sounding.move(later);
      sounding.start(from);
    }
  }

  /** The level of what is played at this moment (RMS, 0 to 1). */
  level() {
    if (!this.#analyser) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return Math.sqrt(power);
  }

  /** The loudest level of the last 300 ms: what a microphone may hear of it. */
  echo() {
    const now = performance.now();
    this.#loudest = [...this.#loudest.filter(([at]) => now - at < ECHO_MS), [now, this.level()]];
    return Math.max(...this.#loudest.map(([, level]) => level));
  }

  #running() {
    if (this.#run) return this.#run;
    const gain = new GainNode(wake());
    if (!this.#analyser) {
      this.#analyser = new AnalyserNode(context, { fftSize: this.#samples.length });
      this.#analyser.connect(context.destination);
    }
    gain.connect(this.#analyser);
    this.#run = { gain, soundings: new Set(), begun: [] };
    return this.#run;
  }

  /** Where the sounds are: their clock stands still during a pause. */
  #now() {
    return this.#pause?.at ?? context?.currentTime ?? 0;
  }

  #endPause() {
    clearTimeout(this.#pause?.timer);
    this.#pause = null;
  }

  #schedule(run, buffer, of, onBegin) {
    if (run !== this.#run) return { ended: undefined };
    const at = Math.max(this.#now() + LEAD_SECONDS, this.#free);
    this.#free = at + buffer.duration + PAUSE_SECONDS;
    const begin = () => {
      performance.mark("june:sound", { detail: { seconds: buffer.duration } });
      onBegin();
    };
    const sounding = new Sounding({ context, buffer, into: run.gain, at, onBegin: begin });
    run.soundings.add(sounding);
    run.begun.push({ of, sounding });
    if (!this.#pause) sounding.start(context.currentTime);
    sounding.ended.then(() => run.soundings.delete(sounding));
    return sounding;
  }
}

function ramp(parameter, value, seconds, from = context.currentTime) {
  parameter.cancelScheduledValues(context.currentTime);
  parameter.setValueAtTime(parameter.value, from);
  parameter.linearRampToValueAtTime(value, from + seconds);
}
