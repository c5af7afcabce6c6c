/** june's page: hold to talk, or just talk; read and hear the answer. */

import * as api from "./api.js";
import { prepareMicrophone } from "./capture.js";
import { Conversation } from "./conversation.js";
import { watchGestures } from "./gestures.js";
import { fill, speaksSlowly, watchSettings } from "./settings.js";
import { Speaker, isAwake, soundSystem, wake } from "./sound.js";
import { Tabs } from "./tabs.js";
import { openTakes } from "./takes.js";
import { Talking } from "./talking.js";
import { text, translate } from "./texts.js";
import { clear, show } from "./view.js";

const STILL_MS = 20_000;
const SENTENCE_MS = 4000;
const REOPEN_MS = 2000;
const SPEECH_LEVEL = 4; // june's voice fills the scale
const byId = (id) => document.getElementById(id);
const talk = byId("talk");

const speaker = new Speaker((busy) => talking?.tell("sound", { on: busy }));
const player = new Speaker();
const tabs = new Tabs(heard);
let conversation;
let talking;
let told = { sentence: "", until: 0, phase: "" }; // what is said in the status for a moment, or until something happens
let showing = false; // june's voice is drawn
let seen = { view: null, at: 0 }; // when the current turn has last changed

// What is going on

function refresh() {
  if (!talking) return;
  const { phase, state } = talking;
  const recording = phase === "speaking-user";
  const isTold = performance.now() < told.until && told.phase === phase;
  const sentence = isTold ? told.sentence : sentenceOf(phase);
  show(phase === "thinking" && conversation.current?.view.stage === "sending" ? "sending" : phase, sentence);
  byId("stop").hidden = Boolean(state.talking) || !(state.sounding || state.answering);
  byId("cancel").hidden = !recording;
  talk.setAttribute("aria-pressed", String(recording));
  byId("hands-free").setAttribute("aria-checked", String(state.handsFree));
  byId("offline").hidden = navigator.onLine;
  if (!recording) byId("how").textContent = text("how");
  if (phase === "idle" || phase === "thinking") talk.style.removeProperty("--level");
}

function sentenceOf(phase) {
  if (phase === "thinking") return stageOf(conversation.current);
  if (phase === "listening") return text("hands-free-on");
  if (phase === "speaking" && !isAwake()) return text("tap-to-hear");
  return text(phase);
}

function stageOf(turn) {
  if (!turn) return "";
  if (turn.trouble) return text("out-of-reach");
  const { stage, ahead } = turn.view;
  if (stage !== "late" && seen.view === turn.view && performance.now() - seen.at > STILL_MS) return text("still-thinking");
  return text(stage === "line" && !ahead ? "sending" : stage, { ahead });
}

/** Say something in the status for a moment: a text of the page's by its key, or a sentence of june's. */
function say(key, figures = {}) {
  told = { sentence: text(key, figures), until: performance.now() + SENTENCE_MS, phase: talking.phase };
  setTimeout(refresh, SENTENCE_MS + 50);
  refresh();
}

function turnsChanged() {
  const current = conversation.current;
  if (current?.view !== seen.view) {
    seen = { view: current?.view ?? null, at: performance.now() };
    if (current) setTimeout(refresh, STILL_MS + 50);
  }
  talking?.tell("turns", { answering: Boolean(current), own: conversation.isInterruptible });
}

function showLevel(level) {
  talk.style.setProperty("--level", level.toFixed(3));
  if (talking.phase !== "speaking-user") return;
  const seconds = Math.floor(talking.seconds);
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  byId("how").textContent = text("how-listening", { time });
}

/** The orb moves with june's voice too. */
function showVoice() {
  showing = talking.phase === "speaking";
  if (!showing) return;
  talk.style.setProperty("--level", Math.min(1, SPEECH_LEVEL * speaker.level()).toFixed(3));
  requestAnimationFrame(showVoice);
}

function showUndo(seconds) {
  byId("undo").hidden = !seconds;
  if (seconds) say("cancelled");
}

// What people do

function listenToPeople() {
  watchGestures(talk, {
    press: () => {
      wake();
      tabs.check(); // the leader may sleep
      talking.tell("press");
    },
    release: () => talking.tell("release"),
    cancel: () => talking.tell("cancel"),
    escape: () => talking.tell("escape"),
    isRecording: () => talking.phase === "speaking-user",
  });
  document.addEventListener("pointerdown", () => wake(), { capture: true });
  byId("cancel").addEventListener("click", () => talking.tell("cancel"));
  byId("undo").addEventListener("click", () => talking.undo());
  byId("stop").addEventListener("click", () => {
    talking.tell("stop");
    talk.focus();
  });
  byId("hands-free").addEventListener("click", () => {
    wake();
    talking.tell("hands-free", { on: !talking.state.handsFree });
  });
  byId("write").addEventListener("submit", (event) => {
    event.preventDefault();
    const words = byId("text").value.trim();
    if (!words) return;
    byId("text").value = "";
    write(words);
  });
  document.addEventListener("june:ask", (event) => write(event.detail.text));
  watchSettings((words) => conversation.asking.command(words));
}

/** Ask in writing; june stops speaking. */
function write(words) {
  wake();
  tabs.check();
  const over = talking.state.sounding && !words.startsWith("/");
  conversation.asking.write(words, over ? conversation.interrupt() : null);
}

/** Words that were not sent go back to where they were written. */
function writeBack(words) {
  byId("text").value = [words, byId("text").value].filter(Boolean).join("\n");
}

function listenToTheBrowser() {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return talking.tell("hidden");
    wakeAgain();
  });
  addEventListener("pageshow", (event) => event.persisted && wakeAgain());
  addEventListener("online", () => {
    tabs.reconnect();
    conversation.asking.retry();
    refresh();
  });
  addEventListener("offline", refresh);
}

function wakeAgain() {
  if (speaker.busy) wake();
  tabs.check();
  conversation.asking.retry();
  refresh();
}

// The beginning

/** Hear an event of the server's, or of another tab's; one after the other. */
let order = Promise.resolve();
function heard(name, data) {
  order = order.then(() => conversation.hear(name, data)).then(() => {
    if (name === "turns") document.documentElement.dataset.ready = "yes";
  }).catch((error) => console.error(error));
}

async function open(session) {
  byId("login").hidden = true;
  byId("dock").hidden = false;
  byId("open-settings").hidden = false;
  fill(session);
  if (session.new) clear();
  if (conversation) return;
  const takes = await openTakes();
  const echo = () => Math.max(speaker.echo(), player.echo());
  const tellTabs = (name) => tabs.tell(name);
  const page = { changed: turnsChanged, say, text, settings: fill, writeBack, tellTabs };
  conversation = new Conversation({ chat: session.link, speaker, player, takes, page });
  talking = new Talking({
    conversation, speaker, takes, page: { changed, level: showLevel, say, undo: showUndo, slow: speaksSlowly, echo },
  });
  listenToPeople();
  listenToTheBrowser();
  if (window.isSecureContext) prepareMicrophone(soundSystem());
  refresh();
  tabs.open();
}

function changed() {
  refresh();
  if (!showing) showVoice();
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
  } catch (error) {
    if (error.status === 401) {
      byId("open-settings").hidden = true;
      byId("login").hidden = false;
      byId("password").focus();
      document.documentElement.dataset.ready = "yes";
    } else {
      byId("dock").hidden = false;
      show("idle", text("out-of-reach"));
      setTimeout(begin, REOPEN_MS);
    }
  }
}

translate();
begin();
