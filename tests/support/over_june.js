/**
 * june, a room and a person, frame by frame and without a clock: june speaks until the detector has it pause, and what
 * comes out of the loudspeaker comes back by `taps` ([samples, gain]), as strong as `strength.at(sample)` says.
 * `said` and `person` are samples from -1 to 1. Gives what the detector told, when june fell silent (seconds, its fade
 * included) and spoke again, and how many of its samples were never heard.
 */
export function overJune({ detector, silero, said, person, taps, strength, seconds }) {
  const [rate, size, held, rewind, fade] = [16000, 512, 9, 800, 320]; // as in sound.js: a hold of 300 ms, 50 ms back
  const out = new Float32Array(seconds * rate + size);
  const [found, silent, again, levels] = [[], [], [], []];
  const [first, heard] = [0.5 * rate, new Uint8Array(said.length)];
  let [position, isPaused, isOver] = [0, false, false];
  for (let start = 0; start + size <= seconds * rate; start += size) {
    let power = 0;
    for (let at = start; at < start + size; at++) {
      if (isPaused || isOver || at < first || position >= said.length) continue;
      heard[position] = 1;
      out[at] = said[position++];
      power += out[at] ** 2;
    }
    levels.push(Math.sqrt(power / size));
    const frame = Float32Array.from({ length: size }, (_, index) => {
      const at = start + index;
      const echo = taps.reduce((sum, [late, gain]) => sum + (at >= late ? gain * out[at - late] : 0), 0);
      const sample = (person[at] ?? 0) + echo * (strength ? strength.at(at) : 1);
      return Math.round(Math.max(-1, Math.min(1, sample)) * 32767) / 32768;
    });
    const level = Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / size);
    const echo = Math.max(...levels.slice(-held));
    const told = detector.frame({ probability: silero.probability(frame), level, echo });
    if (!told) continue;
    const now = (start + size) / rate;
    const isSounding = now > 0.5 && position < said.length && !isOver;
    found.push({ ...told, at: now, isSounding });
    if (isSounding && !isPaused && told.name !== "misfire" && told.name !== "end") silent.push(now + fade / rate);
    if (isSounding && told.name === "maybe") isPaused = true;
    if (told.name === "start") isOver = true;
    if (isPaused && told.name === "misfire") {
      [isPaused, position] = [false, Math.max(0, position - rewind)];
      again.push(now);
    }
  }
  return { found, silent, again, unheard: heard.subarray(0, position).filter((one) => !one).length, position };
}
