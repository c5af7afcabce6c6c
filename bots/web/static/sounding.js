/** A sound on its way to the loudspeaker, which can pause and go on. All times are seconds of the audio context's clock. */

export class Sounding {
  /** Resolves when it was played to its end, or stopped. */
  ended;
  #context;
  #buffer;
  #into;
  #onBegin;
  #at; // when its beginning was, or is to be, heard
  #source = null;
  #timer = null;
  #end;

  /** `buffer` is to be heard from `at` on, through the node `into`; `onBegin` is called when it begins. */
  constructor({ context, buffer, into, at, onBegin }) {
    this.#context = context;
    this.#buffer = buffer;
    this.#into = into;
    this.#at = at;
    this.#onBegin = onBegin;
    this.ended = new Promise((resolve) => { this.#end = resolve; });
  }

  get at() {
    return this.#at;
  }

  /** Be heard at its time; where that is over, with what is left, at `from`. */
  start(from) {
    const source = new AudioBufferSourceNode(this.#context, { buffer: this.#buffer });
    source.connect(this.#into);
    source.addEventListener("ended", () => {
      if (source === this.#source) this.stop(0);
    });
    source.start(Math.max(this.#at, from), Math.max(0, from - this.#at));
    this.#source = source;
    if (!this.#onBegin) return;
    this.#timer = setTimeout(() => {
      const onBegin = this.#onBegin;
      this.#onBegin = null;
      onBegin();
    }, 1000 * Math.max(0, this.#at - this.#context.currentTime));
  }

  /** Be silent from `end` on, until it is moved and started again. */
  pause(end) {
    this.#source?.stop(end);
    this.#source = null;
    clearTimeout(this.#timer);
  }

  /** Be heard so much later. */
  move(seconds) {
    this.#at += seconds;
  }

  /** Be silent from `end` on, for good. */
  stop(end) {
    this.pause(end);
    this.#end();
  }
}
