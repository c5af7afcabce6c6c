/** When something was said: the time of each turn, a line where a new day begins. */

import { language } from "./texts.js";

const DAY_MS = 86_400_000;
const locale = navigator.languages.find((code) => code.slice(0, 2) === language) ?? language; // with its country
const timeOf = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dateOf = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const near = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

/** Give a moment, in seconds since the epoch, as hours and minutes. */
export const timeText = (at) => timeOf.format(at * 1000);

const midnight = (at) => new Date(at * 1000).setHours(0, 0, 0, 0);

/** Name the day of a moment: today, yesterday, or its date. */
function dayText(at, now = Date.now() / 1000) {
  const days = Math.round((midnight(at) - midnight(now)) / DAY_MS);
  const name = days === 0 || days === -1 ? near.format(days, "day") : dateOf.format(at * 1000);
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
}

/** Stamp an element with its moment; a line before it says where a new day begins. */
export function stamp(element, at) {
  const time = element.querySelector("time");
  time.dateTime = new Date(at * 1000).toISOString();
  time.textContent = timeText(at);
  element.dataset.day = String(midnight(at));
  if (element.previousElementSibling?.matches(".day")) element.previousElementSibling.remove();
  const before = [...element.parentElement.querySelectorAll("[data-day]")];
  const previous = before[before.indexOf(element) - 1];
  const first = String(midnight(Date.now() / 1000)); // a conversation of today needs no line
  if ((previous?.dataset.day ?? first) !== element.dataset.day) element.before(dayLine(at));
}

function dayLine(at) {
  const line = document.createElement("p");
  line.className = "divider day";
  const time = document.createElement("time");
  time.dateTime = new Date(at * 1000).toISOString();
  time.textContent = dayText(at);
  line.append(time);
  return line;
}
