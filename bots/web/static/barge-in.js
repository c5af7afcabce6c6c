/**
 * Whether somebody talks over june. The probability of speech cannot tell: june's own voice is speech, however faint its
 * echo. So what is heard has to be louder than the echo as it was learnt. A few such frames are a suspicion, at which
 * june is to pause; what goes on without june was somebody, what ends with it was its echo, or a noise. Pure.
 */

const FRAME_MS = 32;
const VOICE = 0.8; // probability
const NOISE = 0.3; // below it there is no voice, above one may begin
const WINDOW = 16; // frames
const SURE = 12; // of them with a voice
const FIRST = 4; // frames
const MAYBE = 3; // of them with what may be a voice: 96 ms
const QUIET = 5; // frames without one, after which it was nobody
const UNDECIDED = 32; // frames after which it was nobody, whatever is heard
const OVER_DB = 10; // over the echo learnt
const TURNED_UP_DB = 25; // nobody makes a loudspeaker louder by more at once
const LEARN_MS = 3000; // of june's sound, before anybody can talk over it
const TAIL = 10; // frames for which an echo lasts: rooms, buffers, wireless loudspeakers
const RISE = 0.2; // of the way to a louder echo, a frame
const FALL = 0.01;
const BAR_DB = 6; // that the echo is taken to be louder, after it was taken for somebody
const SILENCE = 1e-4; // RMS; below it nothing is played

const decibels = (rms) => 20 * Math.log10(Math.max(rms, 1e-5));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export class BargeIn {
  #learnt; // { gain: of the echo over june's output in dB, ms: how long it was learnt for }
  #played = []; // june's output in the last TAIL frames
  #window = []; // of the frames since it plays: { voice, gain, over, open, near }
  #maybe = 0; // frames since somebody was suspected; 0 while nobody is
  #settling = 0; // frames until june is heard again after a pause: nothing is learnt

  constructor(learnt) {
    this.#learnt = Object.assign(learnt, { gain: learnt.gain ?? null, ms: learnt.ms ?? 0 });
  }

  /**
   * A frame, with levels as RMS from 0 to 1, and whether somebody is known to speak already. Gives `active`, whether june
   * can be heard in it; `name`: "maybe", "start", "misfire" or null; `onsetMs`: how long ago a voice came up.
   */
  frame({ probability, level, echo, speaking }) {
    this.#played = [...this.#played, echo].slice(-TAIL);
    const played = Math.max(...this.#played);
    const active = played > SILENCE && !speaking;
    const onsetMs = FRAME_MS * this.#onset();
    const name = active ? this.#hear(probability, decibels(level), decibels(played)) : this.#leave();
    if (!active || name === "start" || name === "misfire") this.#window = [];
    return { active, name, onsetMs };
  }

  /** How many frames before this one a voice came up. */
  #onset() {
    const first = this.#window.findIndex((frame) => frame.voice);
    return Math.max(first < 0 ? 0 : this.#window.length - first, this.#maybe && this.#maybe + FIRST);
  }

  #hear(probability, level, played) {
    const gain = level - played;
    if (this.#learnt.ms < LEARN_MS) {
      this.#learnt.ms += FRAME_MS;
      this.#learn(gain);
      return null;
    }
    const [voice, over] = [probability >= VOICE, gain - this.#learnt.gain];
    const open = !voice && probability >= NOISE && over > TURNED_UP_DB; // perhaps the first moment of somebody
    const near = probability >= NOISE && over >= OVER_DB;
    this.#window.push({ voice, gain, over, open, near });
    if (this.#settling) this.#settling--;
    else if (!this.#maybe && !open && (!voice || over < OVER_DB)) this.#learn(gain);
    if (this.#window.length > WINDOW) this.#close(this.#window.shift());
    return this.#maybe ? this.#decide() : this.#suspect();
  }

  /** What might have been the first moment of somebody was an echo if no voice has followed. */
  #close({ open, gain }) {
    if (open && !this.#maybe && !this.#isVoice(1)) this.#learn(gain);
  }

  #learn(gain) {
    const { gain: known } = this.#learnt;
    this.#learnt.gain = known === null ? gain : known + (gain > known ? RISE : FALL) * (gain - known);
  }

  /** Whether so many frames have a voice, and those that have one are louder than an echo. */
  #isVoice(count) {
    const voices = this.#window.filter((frame) => frame.voice);
    return voices.length >= count && mean(voices.map((frame) => frame.over)) >= OVER_DB;
  }

  #suspect() {
    if (this.#window.slice(-FIRST).filter((frame) => frame.near).length < MAYBE) return null;
    this.#maybe = 1;
    this.#window = this.#window.slice(-FIRST); // what was before is june's own voice
    return "maybe";
  }

  #decide() {
    this.#maybe++;
    const near = this.#window.slice(-QUIET).some((frame) => frame.near);
    if (near && this.#isVoice(SURE)) return this.#end("start");
    if (near && this.#maybe <= UNDECIDED) return null;
    this.#learnt.gain += BAR_DB;
    return this.#end("misfire");
  }

  #end(name) {
    this.#maybe = 0;
    this.#settling = TAIL;
    return name;
  }

  /** june is silent, or somebody speaks: what was not clear is over. */
  #leave() {
    return this.#maybe ? this.#end("misfire") : null;
  }
}
