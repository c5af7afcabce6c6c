/** Sound as the page keeps and sends it: 16-bit mono PCM at 16 kHz, in an Int16Array. */

export const RATE = 16000;
export const PEAKS = 44;

/** Pieces as one array. */
export function joined(pieces) {
  const whole = new Int16Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The loudest sample, 0 to 1, of each of `count` stretches of equal length. */
export function peaksOf(pcm, count = PEAKS) {
  return Array.from({ length: count }, (_, index) => {
    const stretch = pcm.subarray((index * pcm.length) / count, ((index + 1) * pcm.length) / count);
    return Math.min(1, stretch.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0) / 32767);
  });
}

/** Root mean square, 0 to 1 of full scale. */
export function rmsOf(pcm) {
  const power = pcm.reduce((sum, sample) => sum + sample * sample, 0) / (pcm.length || 1);
  return Math.sqrt(power) / 32768;
}

/** A WAV file (44 bytes of header, then the samples) as a Blob. */
export function wavOf(pcm) {
  const header = new DataView(new ArrayBuffer(44));
  const name = (at, letters) => [...letters].forEach((letter, index) => header.setUint8(at + index, letter.charCodeAt(0)));
  name(0, "RIFF");
  header.setUint32(4, 36 + pcm.byteLength, true);
  name(8, "WAVEfmt ");
  header.setUint32(16, 16, true); // bytes of the format that follows
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // one channel
  header.setUint32(24, RATE, true);
  header.setUint32(28, 2 * RATE, true); // bytes a second
  header.setUint16(32, 2, true); // bytes a sample
  header.setUint16(34, 16, true); // bits a sample
  name(36, "data");
  header.setUint32(40, pcm.byteLength, true);
  return new Blob([header, pcm], { type: "audio/wav" });
}
