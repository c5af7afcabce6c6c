/** Markdown by blocks: a text becomes a list of blocks, each a node `{ tag, attributes, children }`. */

import { inline } from "./markdown-inline.js";

const DEEPEST = 8; // lists and quotations within each other; what is deeper stays text
const FENCE = /^( *)(`{3,}|~{3,})[ \t]*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+[^ \t#]/;
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const UNDERLINE = /^ {0,3}(={2,}|-{2,})[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+•]|\d{1,9}[.)])(?=[ \t]|$)[ \t]{0,4}/;
const TASK = /^\[([ xX])\][ \t]/;
const TAB = "    ";
const COLUMNS = 50;

/**
 * Read a text.
 *
 * @param {string} text
 * @param {{open?: boolean, headings?: number[]}} state whether more of its last block is to come, and the
 *   headings that it stands under (their numbers of `#`), which are brought up to date
 * @returns {{node: object, begin: number}[]} blocks, each with the line that it begins at
 */
export function blocks(text, { open = false, headings = [] } = {}) {
  const spaced = (white) => white.replaceAll("\t", TAB);
  const lines = text.split("\n").map((line) => line.replace(/\r$/, "").replace(/^[ \t]+/, spaced));
  return new Reader(lines, { open, headings, depth: 0 }).read();
}

class Reader {
  constructor(lines, { open, headings, depth }) {
    Object.assign(this, { lines, open, headings, depth, at: 0 });
  }

  read() {
    const found = [];
    while (this.at < this.lines.length) {
      const begin = this.at;
      if (isBlank(this.lines[begin])) this.at += 1;
      else found.push({ begin, node: this.#block(this.lines[begin]), headings: [...this.headings] });
    }
    return found;
  }

  #block(line) {
    if (FENCE.test(line)) return this.#code(FENCE.exec(line));
    if (HEADING.test(line)) return this.#heading(HEADING.exec(line)[1].length);
    if (RULE.test(line)) return this.#rule();
    if (this.depth < DEEPEST && QUOTE.test(line)) return this.#quote();
    if (this.depth < DEEPEST && ITEM.test(line)) return this.#list();
    if (this.#tableAt(this.at)) return this.#table();
    return this.#paragraph();
  }

  #inline(text) {
    return inline(text, { open: this.open && this.at >= this.lines.length });
  }

  #within(lines) {
    const open = this.open && this.at >= this.lines.length;
    return new Reader(lines, { open, headings: this.headings, depth: this.depth + 1 }).read().map(({ node }) => node);
  }

  #code([, indent, fence, info]) {
    const begin = ++this.at;
    const ends = (line) => {
      const mark = line.trim();
      return mark.length >= fence.length && mark[0] === fence[0] && !mark.replaceAll(fence[0], "");
    };
    while (this.at < this.lines.length && !ends(this.lines[this.at])) this.at += 1;
    const lines = this.lines.slice(begin, this.at).map((line) => line.slice(Math.min(indent.length, indentOf(line))));
    this.at += 1;
    return { tag: "code-block", language: info.trim().split(/\s/)[0].slice(0, 40), children: [lines.join("\n")] };
  }

  #heading(level) {
    const line = this.lines[this.at++].trim().slice(level).trim();
    const closing = (marks, place) => (place === 0 || /[ \t]/.test(line[place - 1]) ? "" : marks);
    const words = line.replace(/#{1,99}$/, closing);
    return this.#headed(level, words.trim());
  }

  /** A heading stands one below that it belongs to, whatever its marks say; the page's own are h1 and h2. */
  #headed(level, words) {
    while (this.headings.at(-1) >= level) this.headings.pop();
    this.headings.push(level);
    return { tag: `h${Math.min(6, 2 + this.headings.length)}`, children: this.#inline(words) };
  }

  #rule() {
    this.at += 1;
    return { tag: "hr", children: [] };
  }

  #quote() {
    const lines = [];
    for (; this.at < this.lines.length; this.at += 1) {
      const line = this.lines[this.at];
      const lazy = !QUOTE.test(line);
      if (lazy && (isBlank(line) || isBlank(lines.at(-1)) || this.#begins(this.at))) break;
      lines.push(line.replace(QUOTE, ""));
    }
    return { tag: "blockquote", children: this.#within(lines) };
  }

  #list() {
    const [, indent, mark] = ITEM.exec(this.lines[this.at]);
    const kind = kindOf(mark);
    const items = [];
    while (this.at < this.lines.length) {
      const next = this.#afterBlanks();
      const item = ITEM.exec(this.lines[next] ?? "");
      if (!item || kindOf(item[2]) !== kind || item[1].length > indent.length + 3 || RULE.test(this.lines[next])) break;
      this.at = next;
      items.push(this.#item(item));
    }
    const number = Number.parseInt(mark, 10);
    const attributes = number >= 0 && number !== 1 ? { start: String(number) } : {};
    return { tag: kind === "-" ? "ul" : "ol", attributes, children: items };
  }

  #afterBlanks() {
    let next = this.at;
    while (next < this.lines.length && isBlank(this.lines[next])) next += 1;
    return next;
  }

  /** An item: its own line, what is indented below it, and what goes on with its last paragraph. */
  #item([whole, indent]) {
    const inside = indent.length + 2; // models indent by two or by three, whatever the number is
    const lines = [this.lines[this.at++].slice(whole.length)];
    while (this.at < this.lines.length) {
      const next = this.#afterBlanks();
      const line = this.lines[next] ?? "";
      const belongs = indentOf(line) >= inside && !isBlank(line);
      if (!belongs && (next > this.at || isBlank(line) || ITEM.test(line) || this.#begins(next))) break;
      while (this.at < next) lines.push(this.lines[this.at++]);
      lines.push(line.slice(Math.min(indentOf(line), whole.length)));
      this.at += 1;
    }
    return { tag: "li", children: this.#itemParts(lines) };
  }

  #itemParts(lines) {
    const task = TASK.exec(lines[0]);
    if (task) lines[0] = lines[0].slice(task[0].length);
    const [first, ...more] = this.#within(lines);
    const parts = first?.tag === "p" ? [...first.children, ...more] : first ? [first, ...more] : [];
    if (!task) return parts;
    const [name, mark] = task[1] === " " ? ["task", "☐"] : ["task ticked", "☑"];
    return [{ tag: "span", attributes: { class: name }, children: [mark] }, ...parts];
  }

  #tableAt(at) {
    const [head, rule] = [this.lines[at], this.lines[at + 1] ?? ""];
    if (!head.includes("|") || !/^[ \t|:-]+$/.test(rule) || !rule.includes("-")) return false;
    const columns = cells(rule);
    return columns.length === cells(head).length && columns.every((cell) => /^:?-+:?$/.test(cell));
  }

  #table() {
    const side = (cell) => (!cell.endsWith(":") ? "" : cell.startsWith(":") ? "center" : "right");
    const sides = cells(this.lines[this.at + 1]).map(side);
    const row = (line, tag) => {
      this.at += 1;
      const made = cells(line).slice(0, sides.length).map((cell, column) => this.#cell(cell, tag, sides[column]));
      return { tag: "tr", children: made };
    };
    const head = { tag: "thead", children: [row(this.lines[this.at], "th")] };
    this.at += 1;
    const rows = [];
    while (this.at < this.lines.length && !isBlank(this.lines[this.at]) && !this.#begins(this.at)) {
      rows.push(row(this.lines[this.at], "td"));
    }
    const parts = rows.length ? [head, { tag: "tbody", children: rows }] : [head];
    return { tag: "table", children: parts };
  }

  #cell(cell, tag, side) {
    const attributes = { ...(tag === "th" && { scope: "col" }), ...(side && { class: side }) };
    return { tag, attributes, children: this.#inline(cell) };
  }

  #paragraph() {
    const begin = this.at++;
    while (this.at < this.lines.length) {
      const line = this.lines[this.at];
      if (UNDERLINE.test(line)) return this.#underlined(begin);
      if (isBlank(line) || this.#begins(this.at) || this.#tableAt(this.at)) break;
      this.at += 1;
    }
    const words = this.lines.slice(begin, this.at).map((line) => line.trimStart()).join("\n").trimEnd();
    return { tag: "p", children: this.#inline(words) };
  }

  #underlined(begin) {
    const words = this.lines.slice(begin, this.at).join("\n").trim();
    const level = this.lines[this.at].includes("=") ? 1 : 2;
    this.at += 1;
    return this.#headed(level, words);
  }

  /** Whether a line begins a block of its own even within a paragraph. */
  #begins(at) {
    const line = this.lines[at] ?? "";
    if (FENCE.test(line) || HEADING.test(line) || RULE.test(line)) return true;
    if (this.depth >= DEEPEST) return false;
    const item = ITEM.exec(line);
    const empty = item && item[0].length === line.length;
    return QUOTE.test(line) || Boolean(item && !empty && (!/\d/.test(item[2]) || Number.parseInt(item[2], 10) === 1));
  }
}

const isBlank = (line) => !line?.trim();
const indentOf = (line) => /^ */.exec(line)[0].length;
const kindOf = (mark) => (/\d/.test(mark) ? mark.at(-1) : "-");

/** Split a table's row at its bars, but for those that are escaped or in code. */
function cells(line) {
  const trimmed = line.trim();
  const found = [""];
  let code = false;
  for (const [part] of trimmed.matchAll(/\\\||[|`]|[^|`\\]+|\\/g)) {
    if (part === "`") code = !code;
    if (part === "|" && !code && found.length < COLUMNS) found.push("");
    else found[found.length - 1] += part === "\\|" ? "|" : part;
  }
  if (trimmed.startsWith("|")) found.shift();
  if (trimmed.endsWith("|") && found.length > 1 && !found.at(-1)) found.pop();
  return found.map((cell) => cell.trim());
}
