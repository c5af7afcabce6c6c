/** Posts the peak of each of its inputs, block by block of the audio clock: [[frame, peak of one, peak of the other], …]. */
class Record extends AudioWorkletProcessor {
  #peaks = [];

  process(inputs) {
    const peak = ([samples = []]) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    this.#peaks.push([currentFrame, ...inputs.map(peak)]);
    if (this.#peaks.length === 100) this.port.postMessage(this.#peaks.splice(0));
    return true;
  }
}

registerProcessor("record", Record);
