/** june's page: hold to talk, read and hear the answer. */

import * as api from "./api.js";
import { Recording, Speaker, wake } from "./sound.js";
import { language, languageName, text, translate } from "./texts.js";
import { TurnCard, announce, clear, divide, show } from "./view.js";

const TAP_MS = 300;
const SHORTEST_SECONDS = 0.3;
const LONGEST_SECONDS = 600;
const byId = (id) => document.getElementById(id);
const talk = byId("talk");

let recording = null;
let asking = null; // the wish for a recording, while the browser still asks for the microphone
let heldSince = 0;
const going = new Map(); // turns under way, by message
const speaker = new Speaker(refresh);

// What is going on

function refresh(sentence = "") {
  byId("stop").hidden = !(speaker.busy || going.size) || Boolean(recording);
  if (recording) return;
  const current = [...going.values()][0];
  if (speaker.busy) show("speaking", sentence || text("speaking"));
  else if (current) show(current.stage === "sending" ? "sending" : "thinking", sentence || stageText(current));
  else show("idle", sentence);
}

function stageText(turn) {
  if (turn.trouble) return text("out-of-reach");
  return text(turn.stage === "line" && !turn.ahead ? "sending" : turn.stage, { ahead: turn.ahead });
}

/** Be silent, now and for the rest of the answers under way. */
function silence() {
  speaker.stop();
  for (const turn of going.values()) turn.played = Infinity;
}

// Talking

async function startTalking() {
  if (recording || asking) return;
  wake();
  silence();
  const problem = !window.isSecureContext ? "microphone-insecure" : !navigator.mediaDevices ? "no-microphone" : null;
  if (problem) return refresh(text(problem));
  const wish = { held: true };
  asking = wish;
  try {
    const begun = await Recording.begin(onLevel);
    if (!wish.held) {
      begun.drop();
      return refresh(text("microphone-ready"));
    }
    recording = begun;
    talk.setAttribute("aria-pressed", "true");
    show("listening", text("listening"));
    byId("stop").hidden = true;
    performance.mark("june:listening");
  } catch (error) {
    refresh(text(error.name === "NotAllowedError" ? "microphone-denied" : "no-microphone"));
  } finally {
    asking = null;
  }
}

function onLevel(level, seconds) {
  if (!recording) return;
  talk.style.setProperty("--level", level.toFixed(3));
  const time = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  byId("how").textContent = text("how-listening", { time });
  if (seconds > LONGEST_SECONDS) stopTalking();
}

async function stopTalking({ drop = false } = {}) {
  if (asking) asking.held = false;
  if (!recording) return;
  const ended = recording;
  recording = null;
  talk.setAttribute("aria-pressed", "false");
  talk.style.removeProperty("--level");
  byId("how").textContent = text("how");
  if (drop) {
    ended.drop();
    return refresh();
  }
  const { blob, seconds } = await ended.end();
  if (seconds < SHORTEST_SECONDS) return refresh(text("too-short"));
  await submit((id) => api.speak(blob, seconds, id), "");
}

/** A press begins; a second tap ends what the first has begun. */
function press() {
  if (recording) {
    heldSince = 0;
    return stopTalking();
  }
  heldSince = performance.now();
  return startTalking();
}

/** A press ends: after a hold the recording does too, after a tap it goes on until the next. */
function release() {
  if (!heldSince || performance.now() - heldSince < TAP_MS) return;
  heldSince = 0;
  stopTalking();
}

talk.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  talk.setPointerCapture(event.pointerId);
  press();
});
talk.addEventListener("pointerup", release);
talk.addEventListener("pointercancel", release);
talk.addEventListener("contextmenu", (event) => event.preventDefault());
talk.addEventListener("keydown", (event) => {
  if (event.key !== " " && event.key !== "Enter") return;
  event.preventDefault();
  if (!event.repeat) press();
});
talk.addEventListener("keyup", (event) => {
  if (event.key !== " " && event.key !== "Enter") return;
  event.preventDefault(); // a key let go of would click as well
  release();
});
// Screen readers press without a pointer or a key: each is a tap.
talk.addEventListener("click", (event) => {
  if (event.detail !== 0 || event.pointerType) return;
  press();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && recording) stopTalking({ drop: true });
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stopTalking();
});

// Turns

/** Send a message and follow what becomes of it. */
async function submit(send, words) {
  const id = api.newId();
  const turn = { stage: "sending", ahead: 0, played: 0, card: new TurnCard(replay) };
  turn.card.said(words);
  going.set(id, turn);
  refresh();
  try {
    const { said } = await send(id);
    performance.mark("june:sent");
    if (!said) return follow(id, turn);
    going.delete(id);
    if (words.startsWith("/")) await obeyed(words, said, turn.card);
    else turn.card.unsent(said, () => submit(send, words));
    announce(said);
    refresh();
  } catch (error) {
    going.delete(id);
    if (error.status === 401) return location.reload();
    turn.card.unsent(text(error.status === 413 ? "too-large" : "unsent"), () => submit(send, words));
    refresh();
  }
}

/** A command was typed: show what came of it, in the settings as well. */
async function obeyed(words, said, card) {
  card.remove();
  if (words.startsWith("/forget")) clear();
  divide(said);
  await api.session().then(fill, () => {}); // shown when the page is opened again, at the latest
}

/** Follow a turn; its sentences are spoken as they come, if it was asked here and now. */
function follow(id, turn, { aloud = true } = {}) {
  api.follow(id, (view) => {
    if (turn.stage !== view.stage) performance.mark(`june:stage:${view.stage}`);
    Object.assign(turn, { stage: view.stage, ahead: view.ahead, trouble: false });
    turn.card.update(view);
    for (const spoken of aloud ? view.speech.slice(turn.played) : []) say(spoken.url);
    turn.played = Math.max(turn.played, view.speech.length);
    if (view.done) going.delete(id);
    // Who hears the answer need not have it read out as well.
    if (view.done && !speaker.busy) announce([view.answer, view.notice].filter(Boolean).join(" "));
    refresh();
  }, () => {
    turn.trouble = true;
    refresh();
  });
}

function say(url) {
  speaker.play(url).catch(() => refresh(text("unplayable")));
}

/** Play an answer again: the reply as a whole, or its sentences where the browser cannot play that. */
async function replay(view) {
  wake();
  speaker.stop();
  try {
    if (!view.reply) throw new Error("only sentences");
    await speaker.play(view.reply.url);
  } catch {
    if (!view.speech.length) return refresh(text("unplayable"));
    for (const spoken of view.speech) say(spoken.url);
  }
}

byId("stop").addEventListener("click", () => {
  silence();
  if (going.size) command("/cancel");
  talk.focus();
  refresh();
});

byId("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = byId("text").value.trim();
  if (!words) return;
  wake();
  silence();
  byId("text").value = "";
  submit((id) => api.write(words, id), words);
});

// Settings

/** Have june obey, and show what it says. */
async function command(words) {
  try {
    const { said } = await api.write(words, api.newId());
    if (said) divide(said);
    if (said) announce(said);
  } catch {
    refresh(text("unsent"));
  }
}

const settings = byId("settings");
byId("open-settings").addEventListener("click", () => settings.showModal());
byId("close-settings").addEventListener("click", () => settings.close());
settings.addEventListener("click", (event) => {
  if (event.target === settings) settings.close();
});
byId("reply-mode").addEventListener("change", (event) => command(`/voice ${event.target.value}`));
byId("language").addEventListener("change", (event) => command(`/language ${event.target.value}`));
byId("new").addEventListener("click", () => {
  settings.close();
  command("/new");
});
byId("forget").addEventListener("click", async () => {
  if (!window.confirm(text("confirm-forget"))) return;
  settings.close();
  silence();
  clear();
  command("/forget");
});

// The beginning

function fill(session) {
  byId("reply-mode").value = session.reply_mode;
  const select = byId("language");
  select.length = 1;
  const named = session.languages.map((code) => [languageName(code), code]);
  for (const [name, code] of named.sort(([a], [b]) => a.localeCompare(b, language))) select.add(new Option(name, code));
  select.value = session.language;
  byId("inside").href = session.link;
}

async function open(session) {
  byId("login").hidden = true;
  byId("dock").hidden = false;
  byId("open-settings").hidden = false;
  fill(session);
  clear();
  if (session.new) return;
  for (const view of await api.past()) {
    const card = new TurnCard(replay);
    card.update(view);
    if (view.done) continue;
    const turn = { stage: view.stage, ahead: 0, played: 0, card };
    going.set(view.message, turn);
    follow(view.message, turn, { aloud: false });
  }
  refresh();
  window.scrollTo({ top: document.documentElement.scrollHeight });
}

byId("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await open(await api.login(byId("password").value));
  } catch (error) {
    const wait = error.status === 429 ? "wait-password" : error.status === 403 ? "wrong-password" : "out-of-reach";
    byId("login-error").textContent = text(wait, { seconds: error.retryAfter });
  }
});

async function begin() {
  try {
    await open(await api.session());
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    if (error.status === 401) {
      byId("open-settings").hidden = true;
      byId("login").hidden = false;
      byId("password").focus();
      document.documentElement.dataset.ready = "yes";
    } else {
      byId("dock").hidden = false;
      show("idle", text("out-of-reach"));
      setTimeout(begin, 2000);
    }
  }
}

translate();
begin();
