/** Texts of this tab that the server has not taken yet: they last over a reload. */

import { keep, readKept } from "./storage.js";

const AREA = "sessionStorage";
const KEY = "june-unsent";

export function readTexts() {
  const kept = readKept(AREA, KEY);
  return Array.isArray(kept) ? kept : [];
}

export function keepText({ id, words, at, interrupts = null }) {
  keep(AREA, KEY, [...readTexts().filter((kept) => kept.id !== id), { id, words, at, interrupts }]);
}

export function forgetText(id) {
  keep(AREA, KEY, readTexts().filter((kept) => kept.id !== id));
}

export function forgetTexts() {
  keep(AREA, KEY, []);
}
