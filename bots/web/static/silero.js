/**
 * Silero VAD v6 (MIT licence, Copyright (c) 2020-present Silero Team; github.com/snakers4/silero-vad): the probability
 * that somebody speaks in a frame of 32 ms. Its weights, in silero.bin, are made by bots/web/silero_weights.py.
 */

export const FRAME = 512; // samples at 16 kHz
const CONTEXT = 64; // samples of the frame before that are heard again
const WINDOW = 256; // samples of a spectrum
const HOP = 128;
const BANDS = WINDOW / 2 + 1;
const SPECTRA = 4; // in a frame, its context and as many samples reflected at its end
const HIDDEN = 128; // units of the LSTM

/** The parts of silero.bin, in order: float16, each in the order of its dimensions. */
const PARTS = {
  weight0: [128, BANDS, 3],
  bias0: [128],
  weight1: [64, 128, 3],
  bias1: [64],
  weight2: [64, 64, 2], // of its third tap, nothing but padding is seen
  bias2: [64],
  weight3: [128, 64, 1], // the middle tap alone, as there is one step left
  bias3: [128],
  inputWeight: [4 * HIDDEN, 128],
  hiddenWeight: [4 * HIDDEN, HIDDEN],
  gateBias: [4 * HIDDEN],
  outWeight: [HIDDEN],
  outBias: [1],
};

/** A listener with a memory: frames are to be given in order. */
export class Silero {
  #weights;
  #samples = new Float32Array(CONTEXT + FRAME + CONTEXT);
  #hidden = new Float32Array(HIDDEN);
  #cell = new Float32Array(HIDDEN);

  /** `data` is the content of silero.bin. */
  constructor(data) {
    this.#weights = read(data);
  }

  /** The probability of speech, 0 to 1, in a frame of FRAME samples from -1 to 1. */
  probability(frame) {
    this.#take(frame);
    const weights = this.#weights;
    let steps = magnitudes(this.#samples);
    steps = convolution(steps, weights.weight0, weights.bias0, { taps: 3, stride: 1, padding: 1 });
    steps = convolution(steps, weights.weight1, weights.bias1, { taps: 3, stride: 2, padding: 1 });
    steps = convolution(steps, weights.weight2, weights.bias2, { taps: 2, stride: 2, padding: 0 });
    steps = convolution(steps, weights.weight3, weights.bias3, { taps: 1, stride: 1, padding: 0 });
    this.#remember(steps[0]);
    return sigmoid(weights.outBias[0] + dot(weights.outWeight, 0, this.#hidden.map(relu)));
  }

  /** Put the frame behind the end of the one before, and its own end, reflected, behind it. */
  #take(frame) {
    const samples = this.#samples;
    samples.copyWithin(0, FRAME, FRAME + CONTEXT);
    samples.set(frame, CONTEXT);
    const last = CONTEXT + FRAME - 1;
    for (let index = 1; index <= CONTEXT; index++) samples[last + index] = samples[last - index];
  }

  /** One step of the LSTM; its gates are in ONNX's order: input, output, forget, cell. */
  #remember(input) {
    const { inputWeight, hiddenWeight, gateBias } = this.#weights;
    const before = this.#hidden.slice();
    const gate = (index) => gateBias[index] + dot(inputWeight, index * 128, input) + dot(hiddenWeight, index * HIDDEN, before);
    for (let unit = 0; unit < HIDDEN; unit++) {
      const kept = sigmoid(gate(2 * HIDDEN + unit)) * this.#cell[unit];
      this.#cell[unit] = kept + sigmoid(gate(unit)) * Math.tanh(gate(3 * HIDDEN + unit));
      this.#hidden[unit] = sigmoid(gate(HIDDEN + unit)) * Math.tanh(this.#cell[unit]);
    }
  }
}

const relu = (value) => Math.max(0, value);
const sigmoid = (value) => 1 / (1 + Math.exp(-value));

/** The scalar product of `vector` and as many `weights` from `start` on. */
function dot(weights, start, vector) {
  let sum = 0;
  for (let index = 0; index < vector.length; index++) sum += weights[start + index] * vector[index];
  return sum;
}

/** A convolution over steps (each one value a channel) and a ReLU; `weights` by channel out, channel in, tap. */
function convolution(steps, weights, bias, { taps, stride, padding }) {
  const count = Math.floor((steps.length + 2 * padding - taps) / stride) + 1;
  return Array.from({ length: count }, (_, step) => {
    const out = bias.slice();
    for (let tap = 0; tap < taps; tap++) {
      const input = steps[step * stride + tap - padding];
      if (input) addTap(out, weights, input, tap, taps);
    }
    return out.map(relu);
  });
}

function addTap(out, weights, input, tap, taps) {
  for (let channel = 0; channel < out.length; channel++) {
    let at = channel * input.length * taps + tap;
    let sum = 0;
    for (let index = 0; index < input.length; index++, at += taps) sum += weights[at] * input[index];
    out[channel] += sum;
  }
}

// Spectra

const turns = Float32Array.from({ length: WINDOW }, (_, index) => (2 * Math.PI * index) / WINDOW);
const cosines = turns.map(Math.cos);
const sines = turns.map(Math.sin);
const hann = cosines.map((cosine) => 0.5 - 0.5 * cosine);

/** The magnitude of each band, for each of the windows of a frame. */
function magnitudes(samples) {
  return Array.from({ length: SPECTRA }, (_, step) => {
    const real = hann.map((weight, index) => weight * samples[step * HOP + index]);
    const imaginary = new Float32Array(WINDOW);
    transform(real, imaginary);
    return Float32Array.from({ length: BANDS }, (_, band) => Math.sqrt(real[band] ** 2 + imaginary[band] ** 2));
  });
}

/** The discrete Fourier transform of WINDOW complex numbers, in place (Cooley and Tukey, radix 2). */
function transform(real, imaginary) {
  reverseBits(real, imaginary);
  for (let size = 2; size <= WINDOW; size *= 2) {
    for (let start = 0; start < WINDOW; start += size) {
      for (let index = 0; index < size / 2; index++) {
        butterfly(real, imaginary, start + index, size / 2, (index * WINDOW) / size);
      }
    }
  }
}

function butterfly(real, imaginary, one, distance, turn) {
  const other = one + distance;
  const turnedReal = real[other] * cosines[turn] + imaginary[other] * sines[turn];
  const turnedImaginary = imaginary[other] * cosines[turn] - real[other] * sines[turn];
  real[other] = real[one] - turnedReal;
  imaginary[other] = imaginary[one] - turnedImaginary;
  real[one] += turnedReal;
  imaginary[one] += turnedImaginary;
}

function reverseBits(...arrays) {
  for (let index = 0, reversed = 0; index < WINDOW; index++) {
    if (index < reversed) for (const array of arrays) [array[index], array[reversed]] = [array[reversed], array[index]];
    let bit = WINDOW / 2;
    for (; reversed & bit; bit /= 2) reversed ^= bit;
    reversed |= bit;
  }
}

// Weights

function read(data) {
  const halves = new DataView(data);
  let at = 0;
  const part = (shape) =>
    Float32Array.from({ length: shape.reduce((product, size) => product * size) }, () => {
      at += 2;
      return float16(halves.getUint16(at - 2, true));
    });
  const weights = Object.fromEntries(Object.entries(PARTS).map(([name, shape]) => [name, part(shape)]));
  if (at !== data.byteLength) throw new RangeError(`silero.bin has ${data.byteLength} bytes, not ${at}`);
  return weights;
}

/** A number of IEEE 754's binary16; the weights have no infinity among them. */
function float16(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}
