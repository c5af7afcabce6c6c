/** Sound in and out: the microphone as a recording, sentences played one after the other. */

import { sound } from "./api.js";

const PAUSE_SECONDS = 0.15;
const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
let context;

/** Wake the sound system; browsers want that during a press or a key. */
export function wake() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  return context;
}

/** A recording under way; the microphone is let go of at its end. */
export class Recording {
  /** Ask for the microphone and begin; rejects with the browser's own error. */
  static async begin(onLevel) {
    const wanted = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    return new Recording(stream, onLevel);
  }

  constructor(stream, onLevel) {
    this.stream = stream;
    this.pieces = [];
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    this.recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 48000 });
    this.recorder.addEventListener("dataavailable", (event) => this.pieces.push(event.data));
    this.recorder.start();
    this.began = performance.now();
    this.#measure(onLevel);
  }

  get seconds() {
    return (performance.now() - this.began) / 1000;
  }

  /** End it; gives the sound and its length. */
  async end() {
    const seconds = this.seconds;
    const stopped = new Promise((resolve) => this.recorder.addEventListener("stop", resolve, { once: true }));
    if (this.recorder.state !== "inactive") {
      this.recorder.stop();
      await stopped;
    }
    this.#release();
    return { blob: new Blob(this.pieces, { type: this.recorder.mimeType }), seconds };
  }

  /** Throw it away. */
  drop() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    this.#release();
  }

  #measure(onLevel) {
    const source = wake().createMediaStreamSource(this.stream);
    const analyser = new AnalyserNode(wake(), { fftSize: 512 });
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      if (this.released) return source.disconnect();
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      onLevel(Math.min(1, Math.sqrt(power) * 5), this.seconds);
      requestAnimationFrame(look);
    };
    look();
  }

  #release() {
    this.released = true;
    for (const track of this.stream.getTracks()) track.stop();
  }
}

/** Plays sentences in order, each as soon as it is there. */
export class Speaker {
  #order = Promise.resolve();
  #playing = new Set();
  #free = 0;
  #run = 0;
  #pending = 0;

  constructor(onChange) {
    this.onChange = onChange;
  }

  get busy() {
    return this.#pending > 0;
  }

  /** Add a sound by its address; resolves when it was played, rejects when it cannot be. */
  play(url) {
    const run = this.#run;
    const fetched = sound(url).then((data) => wake().decodeAudioData(data));
    fetched.catch(() => {}); // told below, when its turn has come
    this.#pending++;
    this.onChange();
    const played = this.#order.then(async () => {
      const buffer = await fetched;
      if (run === this.#run) await this.#schedule(buffer);
    });
    const ended = played.then((end) => end, (error) => error);
    this.#order = played.then(() => undefined, () => undefined);
    return ended.then((error) => {
      if (run === this.#run) this.#pending--;
      this.onChange();
      if (error instanceof Error) throw error;
    });
  }

  /** Be silent at once, and forget what was to come. */
  stop() {
    this.#run++;
    this.#pending = 0;
    for (const source of this.#playing) source.stop();
    this.#playing.clear();
    this.#free = 0;
    this.#order = Promise.resolve();
    this.onChange();
  }

  #schedule(buffer) {
    const source = new AudioBufferSourceNode(wake(), { buffer });
    source.connect(context.destination);
    const at = Math.max(context.currentTime + 0.01, this.#free);
    this.#free = at + buffer.duration + PAUSE_SECONDS;
    this.#playing.add(source);
    source.start(at);
    performance.mark("june:sound", { detail: { seconds: buffer.duration } });
    return new Promise((resolve) => {
      source.addEventListener("ended", () => {
        this.#playing.delete(source);
        resolve();
      });
    });
  }
}
