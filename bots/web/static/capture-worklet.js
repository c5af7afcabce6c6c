/**
 * The microphone as 16 kHz mono PCM: runs in the page's AudioWorklet, at the context's own rate, and posts blocks of
 * BLOCK samples (Int16Array). One file without imports: not every browser lets a worklet have them.
 */

const RATE = 16000;
const BLOCK = 256; // 16 ms
const TRANSITION = 0.15; // of the band kept, from where the low-pass begins to fall to where nothing is left

function greatestCommonDivisor(one, other) {
  return other ? greatestCommonDivisor(other, one % other) : one;
}

/** A windowed sinc of sum 1, its middle `shift` samples after the tap `width / 2 - 1`. */
function lowPass(width, cutoff, shift) {
  const taps = Float32Array.from({ length: width }, (_, index) => {
    const x = index - (width / 2 - 1) - shift;
    const sinc = x === 0 ? 1 : Math.sin(2 * Math.PI * cutoff * x) / (2 * Math.PI * cutoff * x);
    const turn = (2 * Math.PI * x) / width;
    return sinc * (0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn)); // Blackman
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** Resamples from any rate to RATE by a polyphase filter: what lies above half of RATE is cut off before. */
class Resampler {
  constructor(rate) {
    const divisor = greatestCommonDivisor(rate, RATE);
    this.phases = RATE / divisor;
    this.step = rate / divisor; // from one sample to the next, in phases of an input sample
    const band = Math.min(RATE, rate) / 2;
    const blackman = 5.5; // widths of its transition, in samples, times its length
    this.width = 2 * Math.ceil((blackman * rate) / (TRANSITION * band) / 2);
    const cutoff = (band * (1 - TRANSITION / 2)) / rate;
    this.filters = Array.from({ length: this.phases }, (_, phase) => lowPass(this.width, cutoff, phase / this.phases));
    this.input = new Float32Array(this.width + 4096);
    this.filled = this.width / 2 - 1; // silence before the first sample, so that nothing is late
    this.phase = 0;
  }

  /** Add samples; `give` gets each that is ready. */
  push(samples, give) {
    this.input.set(samples, this.filled);
    this.filled += samples.length;
    let start = 0;
    for (; start + this.width <= this.filled; ) {
      give(this.#filtered(start));
      this.phase += this.step;
      start += Math.floor(this.phase / this.phases);
      this.phase %= this.phases;
    }
    this.input.copyWithin(0, start, this.filled);
    this.filled -= start;
  }

  #filtered(start) {
    const taps = this.filters[this.phase];
    let sum = 0;
    for (let index = 0; index < this.width; index++) sum += taps[index] * this.input[start + index];
    return sum;
  }
}

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(Math.round(sampleRate));
    this.block = new Int16Array(BLOCK);
    this.count = 0;
    this.closed = false;
    this.port.onmessage = () => {
      this.closed = true;
    };
  }

  process([channels]) {
    if (channels.length) this.resampler.push(mono(channels), (sample) => this.#add(sample));
    return !this.closed;
  }

  #add(sample) {
    this.block[this.count++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32767)));
    if (this.count < BLOCK) return;
    this.port.postMessage(this.block, [this.block.buffer]);
    this.block = new Int16Array(BLOCK);
    this.count = 0;
  }
}

/** The mean of the channels: some microphones have two, whatever was asked for. */
function mono(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, index) => channels.reduce((sum, channel) => sum + channel[index], 0) / channels.length);
}

registerProcessor("capture", Capture);
