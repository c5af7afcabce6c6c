/** The microphone: opened once, heard in blocks of 16 ms; takes are what of it is kept. */

import { RATE, joined, peaksOf, rmsOf, wavOf } from "./pcm.js";
import { SpeechWatch } from "./speech-watch.js";

export { wavOf };

const WANTED = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const WORKLET = new URL("capture-worklet.js", import.meta.url);
const KEPT_SAMPLES = 2 * RATE; // for what is begun before now
const PIECE_SAMPLES = RATE;
const FIRST_BLOCK_MS = 500; // a context that does not run is found lost after that
const MUTED_MS = 1000;
const LEVEL_OF_RMS = 5; // speech fills the scale
const loaded = new WeakMap(); // by audio context, its worklet

/**
 * Open the microphone; resolves once it is heard. Rejects with the browser's own error.
 *
 * `context` is the page's audio context, at whatever rate, and running. `onLevel` gets 0 to 1 for each block, about 62
 * times a second. `onLost` is called at most once: the track has "ended", was "muted" for a second (or the context was
 * stopped for as long), or the device has "changed"; with the lost device's name. The microphone is closed then, and no
 * watch reports anything more; a take keeps what it has, and can be ended or dropped.
 */
export async function openMicrophone(context, { onLevel = () => {}, onLost = () => {} } = {}) {
  const worklet = load(context);
  worklet.catch(() => {}); // told below
  const stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED });
  try {
    await worklet;
    const microphone = new Microphone(context, stream, { onLevel, onLost });
    await microphone.heard;
    return microphone;
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    throw error;
  }
}

/** Load what the microphone needs, so that it can be opened when the server is away. */
export function prepareMicrophone(context) {
  load(context).catch(() => {}); // the first press tries again
}

function load(context) {
  if (!loaded.has(context)) {
    const worklet = context.audioWorklet.addModule(WORKLET);
    loaded.set(context, worklet);
    worklet.catch(() => loaded.delete(context)); // tried again at the next press
  }
  return loaded.get(context);
}

class Microphone {
  closed = false;
  #stream;
  #source;
  #node;
  #onLevel;
  #onLost;
  #recent = []; // blocks of the last two seconds
  #listeners = new Set(); // takes and watches: each has hear(block)
  #watches = new Set();
  #echo = {}; // what watches have learnt of june's own sound in this microphone
  #ending = new AbortController();

  constructor(context, stream, { onLevel, onLost }) {
    this.#stream = stream;
    this.#onLevel = onLevel;
    this.#onLost = onLost;
    this.#source = context.createMediaStreamSource(stream);
    this.#node = new AudioWorkletNode(context, "capture", { numberOfInputs: 1, numberOfOutputs: 1 });
    this.#source.connect(this.#node);
    this.#node.connect(context.destination); // silent; what leads nowhere is not run in every browser
    this.heard = new Promise((resolve) => {
      this.#node.port.onmessage = ({ data }) => {
        resolve();
        this.#hear(data);
      };
      setTimeout(resolve, FIRST_BLOCK_MS);
    });
    this.#guard(context, stream.getAudioTracks()[0]);
  }

  /**
   * Begin a take, with what was said up to 2,000 ms before now. `onPiece` gets its sound (Int16Array), a second at a time,
   * and the rest at its end.
   */
  begin({ preRollMs = 0, onPiece = () => {} } = {}) {
    const take = new Take(onPiece, () => this.#listeners.delete(take));
    const wanted = Math.min(KEPT_SAMPLES, (preRollMs * RATE) / 1000);
    const before = joined(this.#recent);
    take.hear(before.subarray(before.length - Math.min(before.length, wanted)));
    if (!this.closed) this.#listeners.add(take);
    return take;
  }

  /** Report when somebody speaks; see SpeechWatch for what is called when. `stop()` ends it; `ready` rejects if it cannot. */
  watch(handlers) {
    const watch = new SpeechWatch(handlers, this.#echo, () => {
      this.#listeners.delete(watch);
      this.#watches.delete(watch);
    });
    this.#listeners.add(watch);
    this.#watches.add(watch);
    if (this.closed) watch.stop();
    return watch;
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.#ending.abort();
    for (const watch of [...this.#watches]) watch.stop();
    this.#listeners.clear();
    this.#node.port.onmessage = null;
    this.#node.port.postMessage("close");
    this.#source.disconnect();
    this.#node.disconnect();
    for (const track of this.#stream.getTracks()) track.stop();
  }

  #hear(block) {
    this.#recent.push(block);
    if (this.#recent.length * block.length > KEPT_SAMPLES) this.#recent.shift();
    for (const listener of [...this.#listeners]) listener.hear(block);
    this.#onLevel(Math.min(1, rmsOf(block) * LEVEL_OF_RMS));
  }

  // What takes a microphone away

  #guard(context, track) {
    const { signal } = this.#ending;
    const lose = (reason) => {
      if (this.closed) return;
      this.close();
      this.#onLost(reason, track.label);
    };
    track.addEventListener("ended", () => lose("ended"), { signal });
    loseWhenSilenced(context, track, signal, () => lose("muted"));
    loseWhenChanged(track, signal, () => lose("changed"));
  }
}

function loseWhenSilenced(context, track, signal, lose) {
  let timer = null;
  const look = () => {
    clearTimeout(timer);
    if (track.muted || context.state !== "running") timer = setTimeout(lose, MUTED_MS);
  };
  track.addEventListener("mute", look, { signal });
  track.addEventListener("unmute", look, { signal });
  context.addEventListener("statechange", look, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  look();
}

/** Devices come and go all the time: only the loss of this one counts, or another one behind the name "default". */
async function loseWhenChanged(track, signal, lose) {
  const id = track.getSettings().deviceId;
  const named = async () => {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.find((device) => device.kind === "audioinput" && device.deviceId === id);
  };
  const before = named();
  const look = async () => {
    const [opened, now] = await Promise.all([before, named()]);
    if (opened && (opened.label !== now?.label || opened.groupId !== now?.groupId)) lose();
  };
  navigator.mediaDevices.addEventListener("devicechange", look, { signal });
}

/** What is recorded from its beginning until it is ended or dropped. */
class Take {
  #pieces = [];
  #blocks = []; // of the piece that is being filled
  #filled = 0; // its samples
  #onPiece;
  #release;

  constructor(onPiece, release) {
    this.#onPiece = onPiece;
    this.#release = release;
  }

  get seconds() {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, this.#filled) / RATE;
  }

  hear(block) {
    this.#blocks.push(block);
    this.#filled += block.length;
    if (this.#filled >= PIECE_SAMPLES) this.#give();
  }

  /** End it; resolves with its sound, its seconds and its 44 peaks (0 to 1). */
  async end() {
    this.#release();
    if (this.#filled) this.#give();
    const pcm = joined(this.#pieces);
    return { pcm, seconds: this.seconds, peaks: peaksOf(pcm) };
  }

  drop() {
    this.#release();
  }

  #give() {
    const piece = joined(this.#blocks);
    this.#pieces.push(piece);
    this.#blocks = [];
    this.#filled = 0;
    this.#onPiece(piece);
  }
}
