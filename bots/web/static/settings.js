/** The settings' dialog: each change is a command, so that all tabs and june itself know of it. */

import { language, languageName, text, voiceName } from "./texts.js";

const SLOW = "june-slow";
const byId = (id) => document.getElementById(id);

/** `command(words)` has june obey. */
export function watchSettings(command) {
  const settings = byId("settings");
  byId("open-settings").addEventListener("click", () => settings.showModal());
  byId("close-settings").addEventListener("click", () => settings.close());
  settings.addEventListener("click", (event) => {
    if (event.target === settings) settings.close();
  });
  byId("reply-mode").addEventListener("change", (event) => command(`/voice ${event.target.value}`));
  byId("voice").addEventListener("change", (event) => command(`/voice ${event.target.value || "auto"}`));
  byId("language").addEventListener("change", (event) => command(`/language ${event.target.value}`));
  byId("slow").checked = speaksSlowly();
  byId("slow").addEventListener("change", (event) => rememberSlow(event.target.checked));
  byId("new").addEventListener("click", () => {
    settings.close();
    command("/new");
  });
  byId("forget").addEventListener("click", () => {
    if (!window.confirm(text("confirm-forget"))) return;
    settings.close();
    command("/forget");
  });
}

/** Show what the chat has chosen. */
export function fill(session) {
  byId("reply-mode").value = session.reply_mode;
  options(byId("voice"), session.voices.map((code) => [voiceName(code), code]));
  byId("voice").value = session.voice ?? "";
  const named = session.languages.map((code) => [languageName(code), code]);
  options(byId("language"), named.sort(([one], [other]) => one.localeCompare(other, language)));
  byId("language").value = session.language;
  byId("inside").href = session.link;
}

function options(select, named) {
  select.length = 1;
  for (const [name, code] of named) select.add(new Option(name, code));
}

/** Whether the person needs longer pauses; of this browser, as nobody else is concerned. */
export function speaksSlowly() {
  try {
    return localStorage.getItem(SLOW) === "yes";
  } catch {
    return byId("slow").checked; // storage is refused
  }
}

function rememberSlow(slow) {
  try {
    localStorage.setItem(SLOW, slow ? "yes" : "no");
  } catch {
    console.warn("this browser keeps nothing");
  }
}
