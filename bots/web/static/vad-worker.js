/** Tells the probability of speech of each frame that it is sent (Float32Array), in order. First of all: that it can. */

import { Silero } from "./silero.js";

const silero = load();
let order = silero;
silero.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ error: String(error) }),
);

addEventListener("message", ({ data: frame }) => {
  order = order.then(async () => postMessage({ probability: (await silero).probability(frame) }));
});

async function load() {
  const response = await fetch(new URL("silero.bin", import.meta.url));
  if (!response.ok) throw new Error(`silero.bin: ${response.status}`);
  return new Silero(await response.arrayBuffer());
}
