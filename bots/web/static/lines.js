/** Sentences of june's between the turns (what came of commands): kept in the browser, as no workflow remembers them. */

import { keep, readKept } from "./storage.js";

const AREA = "localStorage";
const KEY = "june-lines";
const MOST = 30;

/** Read what was said in a chat, oldest first: `{ id, text, at }`, `at` in seconds since the epoch. */
export function readLines(chat) {
  const kept = readKept(AREA, KEY);
  return kept?.chat === chat && Array.isArray(kept.lines) ? kept.lines : [];
}

/** Keep a line; all tabs do, so it may be there. */
export function keepLine(chat, line) {
  const others = readLines(chat).filter((other) => other.id !== line.id);
  keep(AREA, KEY, { chat, lines: [...others, line].slice(-MOST) });
}

export function forgetLines() {
  keep(AREA, KEY, {});
}
