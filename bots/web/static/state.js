/**
 * What the page is doing: one reducer without effects of its own. It names what is to be done, in order:
 *
 * open       open the microphone for a press, and begin a take       begin     begin a take with the open microphone
 * send       end the take, and send it                                draft     end it, and keep it for the person to decide
 * keep       end it, and keep it for some seconds (Undo)              drop      throw it away
 * listen     open the microphone, and watch it                        close     close the microphone
 * interrupt  june is silent, and what it answers gives way            resume    what gave way counts again
 * stop       june is silent, and ends what it answers                 pause     june is silent, and keeps the place
 * go-on      june speaks on from there
 */

export const BEGINNING = Object.freeze({
  talking: null, // "arming", "interrupted" (both: the take is about to begin), "speaking-user", or null
  byVoice: false, // the take was begun by the voice alone, and ends with it
  handsFree: false,
  sounding: false, // june is heard
  answering: false, // a turn is under way
  own: false, // and was asked here
  paused: false, // somebody may be talking over june
  reopened: false, // the microphone was lost, and another is tried
});

/** Name the state in one word, as the style sheet knows it. */
export function phaseOf(state) {
  if (state.talking) return state.talking;
  if (state.sounding) return "speaking";
  if (state.answering) return "thinking";
  return state.handsFree ? "listening" : "idle";
}

/** Give what an event (`{ type, … }`) makes of a state: `{ state, effects }`. */
export function reduce(state, event) {
  const step = STEPS[event.type];
  if (!step) throw new Error(`no such event: ${event.type}`);
  const [changes, ...effects] = step(state, event) ?? [{}];
  const after = { ...state, ...changes };
  if (state.paused && !after.paused && !effects.some((effect) => SILENCING.has(effect))) effects.push("go-on");
  return { state: after, effects };
}

const SILENCING = new Set(["interrupt", "stop"]); // these end a pause as well

const STEPS = {
  press(state) {
    if (state.talking === "speaking-user") return finish(state, "send");
    if (state.talking) return undefined;
    return begin(state, { byVoice: false }, state.handsFree ? "begin" : "open");
  },
  release: (state) => {
    if (state.talking === "speaking-user") return finish(state, "send");
    return state.talking ? finish(state, "close") : undefined;
  },
  began: (state) => (about(state) ? [{ talking: "speaking-user" }] : [{}, "drop"]),
  failed: (state) => [{ talking: null, handsFree: false, paused: false }, "close", ...gaveWay(state)],
  short: (state) => (state.talking ? finish(state, "drop") : undefined),

  cancel: (state) => (state.talking ? finish(state, recording(state) ? "keep" : "close") : undefined),
  stop: () => [{ sounding: false, paused: false }, "stop"],
  escape(state) {
    if (state.talking) return STEPS.cancel(state);
    return state.sounding || state.answering ? STEPS.stop(state) : undefined;
  },

  "hands-free": (state, { on }) => {
    if (on) return state.handsFree ? undefined : [{ handsFree: true, reopened: false }, "listen"];
    return state.handsFree ? leave(state) : undefined;
  },
  hidden: (state) => (state.talking || state.handsFree ? leave(state) : undefined),
  lost(state) {
    const [changes, ...effects] = leave(state);
    if (!state.handsFree || state.reopened) return [changes, ...effects];
    return [{ ...changes, handsFree: true, reopened: true }, ...effects, "listen"];
  },

  "speech-start": (state) => {
    if (!state.handsFree || state.talking) return undefined;
    return begin(state, { byVoice: true, reopened: false }, "begin");
  },
  "speech-end": (state) => (state.byVoice && recording(state) ? finish(state, "send") : undefined),
  "speech-maybe": (state) => (state.handsFree && !state.talking ? [{ paused: true }, "pause"] : undefined),
  "speech-misfire": (state) => {
    if (state.byVoice && state.talking) return finish(state, "drop");
    return [{ paused: false }];
  },

  sound: (_, { on }) => [{ sounding: on }],
  turns: (_, { answering, own }) => [{ answering, own }],
};

const recording = (state) => state.talking === "speaking-user";
const about = (state) => state.talking === "arming" || state.talking === "interrupted";

/** A take is about to begin; june gives way to it. */
function begin(state, changes, effect) {
  const over = state.sounding || (state.answering && state.own);
  const talking = over ? "interrupted" : "arming";
  return [{ ...changes, talking, sounding: false, paused: false }, ...(over ? ["interrupt"] : []), effect];
}

/** A take ends in some way; hands-free, the microphone stays open for the next. */
function finish(state, effect) {
  const close = state.handsFree ? [] : ["close"];
  const ends = effect === "close" ? close : [effect, ...close];
  return [{ talking: null, byVoice: false }, ...ends, ...(effect === "send" ? [] : gaveWay(state))];
}

/** What gave way to a take that is not sent counts again; it is not spoken any further. */
const gaveWay = (state) => (state.talking ? ["resume"] : []);

/** The microphone goes; what was being said is kept as a draft. */
function leave(state) {
  const draft = recording(state) ? ["draft"] : [];
  return [{ talking: null, byVoice: false, handsFree: false, paused: false }, ...draft, "close", ...gaveWay(state)];
}
