/** Does what the state machine says: the microphone, the take under way, and who gives way to whom. */

import { newId } from "./api.js";
import { openMicrophone } from "./capture.js";
import { wake } from "./sound.js";
import { BEGINNING, phaseOf, reduce } from "./state.js";
import { listenAlone } from "./tabs.js";

const SHORTEST_SECONDS = 0.3;
const LONGEST_SECONDS = 600;
const PRESS_PRE_ROLL_MS = 300; // hands-free, the microphone is open before the press
const SILENT_MS = 60_000;
const UNDO_MS = 5000;
const SURE_MS = 500; // who talks over june for so long means it

export class Talking {
  state = BEGINNING;
  #conversation;
  #speaker;
  #takes;
  #page;
  #wish = null; // what the microphone is wanted for; another one, or none, makes the one before void
  #microphone = null;
  #watch = null;
  #take = null; // under way: { id, at, interrupts, recording }
  #interrupts = null;
  #leaveAlone = () => {};
  #screen = null;
  #silent = null;
  #undoable = null;

  /**
   * `page` shows: `changed(state)`, `level(0 to 1)`, `say(key, figures)`, `undo(seconds)` (0: no more); `slow()` and
   * `echo()` are asked.
   */
  constructor({ conversation, speaker, takes, page }) {
    this.#conversation = conversation;
    this.#speaker = speaker;
    this.#takes = takes;
    this.#page = page;
  }

  get phase() {
    return phaseOf(this.state);
  }

  get seconds() {
    return this.#take?.recording.seconds ?? 0;
  }

  /** Tell what has happened (see state.js). */
  tell(type, more = {}) {
    const event = { type, ...more };
    const { state, effects } = reduce(this.state, event);
    this.state = state;
    for (const effect of effects) this.#do(effect, event);
    this.#page.changed(this.state);
    this.#watchSilence();
  }

  #do(effect, event) {
    const take = this.#take;
    const does = {
      open: () => this.#open((microphone) => this.#begin(microphone, 0)),
      listen: () => this.#open((microphone) => this.#listen(microphone)),
      begin: () => {
        if (!this.#microphone) return this.tell("short"); // it is being opened
        this.#begin(this.#microphone, event.preRollMs ?? PRESS_PRE_ROLL_MS);
      },
      close: () => this.#close(),
      send: () => this.#end((recorded) => this.#conversation.asking.sendTake(recorded), take),
      draft: () => this.#end((recorded) => this.#conversation.asking.draftTake(recorded), take),
      keep: () => this.#end((recorded) => this.#keep(recorded), take),
      drop: () => this.#drop(),
      interrupt: () => { this.#interrupts = this.#conversation.interrupt(); },
      resume: () => this.#conversation.resume(),
      stop: () => this.#conversation.stop(),
      pause: () => this.#speaker.pause(),
      "go-on": () => this.#speaker.goOn(),
    };
    does[effect]();
  }

  // The microphone

  async #open(use) {
    const wish = {};
    this.#wish = wish;
    const context = wake(); // within the press
    const missing = !window.isSecureContext ? "microphone-insecure" : !navigator.mediaDevices ? "no-microphone" : null;
    if (missing) return queueMicrotask(() => this.#fail(missing));
    try {
      const microphone = await openMicrophone(context, {
        onLevel: (level) => this.#page.level(level),
        onLost: (_, device) => this.#lose(device),
      });
      if (this.#wish !== wish) {
        microphone.close();
        if (!this.#wish) this.#page.say("microphone-ready");
        return;
      }
      this.#microphone = microphone;
      use(microphone);
    } catch (error) {
      if (this.#wish === wish) this.#fail(error.name === "NotAllowedError" ? "microphone-denied" : "no-microphone");
    }
  }

  #fail(sentence) {
    this.tell("failed");
    this.#page.say(sentence);
  }

  #lose(device) {
    this.tell("lost");
    this.#page.say("microphone-lost", { device: device || "?" });
  }

  #close() {
    this.#wish = null;
    this.#watch?.stop();
    this.#microphone?.close();
    this.#watch = this.#microphone = null;
    this.#leaveAlone();
    this.#screen?.then((lock) => lock.release()).catch(() => {}); // it was refused
    this.#screen = null;
  }

  // Hands-free

  #listen(microphone) {
    this.#leaveAlone = listenAlone(() => {
      this.tell("hands-free", { on: false });
      this.#page.say("another-tab");
    });
    this.#screen = navigator.wakeLock?.request("screen") ?? null;
    this.#screen?.catch(() => {}); // a battery that is low
    this.#watch = microphone.watch({
      slow: this.#page.slow(),
      echo: () => this.#page.echo(),
      onStart: ({ preRollMs }) => this.tell("speech-start", { preRollMs }),
      onEnd: () => this.tell("speech-end"),
      onMisfire: () => this.tell("speech-misfire"),
      onMaybe: () => this.tell("speech-maybe"),
    });
    this.#watch.ready.catch(() => this.#fail("no-detector"));
    this.#page.changed(this.state);
    performance.mark("june:listening");
  }

  /** After a minute in which nobody has spoken, the microphone is closed. */
  #watchSilence() {
    if (this.phase === "listening") {
      this.#silent ??= setTimeout(() => {
        this.tell("hands-free", { on: false });
        this.#page.say("hands-free-off");
      }, SILENT_MS);
    } else {
      clearTimeout(this.#silent);
      this.#silent = null;
    }
  }

  // Takes

  #begin(microphone, preRollMs) {
    const id = newId();
    const interrupts = this.#interrupts;
    this.#interrupts = null;
    const take = { id, at: Date.now(), interrupts };
    this.#kept(this.#takes.add(take));
    take.recording = microphone.begin({ preRollMs, onPiece: (pcm) => this.#grow(take, pcm) });
    this.#take = take;
    if (interrupts) setTimeout(() => take === this.#take && this.#conversation.endBefore(id, interrupts), SURE_MS);
    this.tell("began");
    performance.mark("june:recording");
  }

  #grow(take, pcm) {
    this.#kept(this.#takes.append(take.id, pcm));
    if (take === this.#take && take.recording.seconds > LONGEST_SECONDS) this.tell("release");
  }

  async #end(use, take) {
    const byVoice = this.state.handsFree;
    this.#take = null;
    const { recording, ...known } = take;
    const recorded = { ...known, ...(await recording.end()) };
    if (recorded.seconds >= SHORTEST_SECONDS) return use(recorded);
    this.#kept(this.#takes.remove(take.id));
    this.#conversation.resume();
    if (!byVoice) this.#page.say("too-short");
  }

  #drop() {
    this.#take?.recording.drop();
    if (this.#take) this.#kept(this.#takes.remove(this.#take.id));
    this.#take = null;
  }

  /** Keep a cancelled take for a moment. */
  #keep(recorded) {
    this.#kept(this.#takes.remove(recorded.id));
    clearTimeout(this.#undoable?.timer);
    const timer = setTimeout(() => {
      this.#undoable = null;
      this.#page.undo(0);
    }, UNDO_MS);
    this.#undoable = { recorded, timer };
    this.#page.undo(UNDO_MS / 1000);
  }

  /** Have the cancelled take back, as a draft. */
  async undo() {
    if (!this.#undoable) return;
    const { recorded, timer } = this.#undoable;
    clearTimeout(timer);
    this.#undoable = null;
    this.#page.undo(0);
    await this.#takes.add(recorded);
    await this.#takes.append(recorded.id, recorded.pcm);
    this.#conversation.asking.draftTake(recorded);
  }

  /** A take goes on although it cannot be kept. */
  #kept(done) {
    done.catch((error) => console.warn("a recording is not kept:", error));
  }
}
