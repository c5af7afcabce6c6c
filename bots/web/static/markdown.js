/**
 * Shows Markdown while it is written. Only nodes are made, of the kinds listed here, and never from HTML; what
 * stands already is changed no further than the text asks for, so that readers, selections and screen readers
 * keep their place.
 */

import { copyText } from "./clipboard.js";
import { blocks } from "./markdown-blocks.js";
import { text as say } from "./texts.js";

const COPIED_MS = 2000;
const TAGS = new Set([
  ...["p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "hr", "table", "thead", "tbody", "tr", "th", "td"],
  ...["br", "strong", "em", "del", "code", "a", "span"],
]);
const ATTRIBUTES = new Set(["href", "title", "target", "rel", "start", "scope", "class"]);
const WORD = /[\p{L}\p{N}]/u;

export class MarkdownView {
  #element;
  #announce;
  #text = "";
  #heard = null;
  #closed = { characters: 0, nodes: 0, headings: [] };
  #next = null;
  #frame = 0;

  /** Show in an element, which is this view's alone; `announce` is told what only a look would tell. */
  constructor(element, announce = () => {}) {
    this.#element = element;
    this.#announce = announce;
  }

  /**
   * Show a text, at the next frame while more is to come.
   *
   * @param {string} text all of it
   * @param {{done?: boolean, heard?: number|null}} state whether it is whole, and how many of its characters were
   *   spoken (null: it does not matter)
   */
  update(text, { done = false, heard = null } = {}) {
    this.#next = { text, done, heard };
    if (done || document.hidden) this.#paint();
    else this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { text, done, heard } = this.#next;
    if (!text.startsWith(this.#text) || heard !== null || this.#heard !== null) {
      this.#closed = { characters: 0, nodes: 0, headings: [] };
    }
    this.#text = text;
    this.#heard = heard;
    const { characters, nodes, headings } = this.#closed;
    const found = blocks(text.slice(characters), { open: !done, headings: [...headings] });
    const made = found.map(({ node }) => node);
    const shown = heard === null ? made : dimmed(made, lengthOf(text.slice(0, heard)));
    this.#patch(this.#element, shown, this.#element.childNodes[nodes] ?? null);
    if (heard === null) this.#close(found);
  }

  /** Leave blocks alone that no further text can change: those before the last that has a whole line. */
  #close(found) {
    const rest = this.#text.slice(this.#closed.characters);
    let open = found.length - 1;
    const ends = lineEnds(rest);
    if (open > 0 && found[open].begin >= ends.length) open -= 1; // its first line may still become another block's
    if (open <= 0) return;
    this.#closed.characters += ends[found[open].begin - 1] + 1;
    this.#closed.nodes += open;
    this.#closed.headings = found[open - 1].headings;
  }

  /** Make what an element holds, from a node on, the same as some nodes. */
  #patch(parent, nodes, from = parent.firstChild) {
    let old = from;
    for (const node of nodes) {
      const kept = old && this.#reuse(old, node);
      if (kept) old = old.nextSibling;
      else {
        const made = this.#make(node);
        if (old) {
          const gone = old;
          old = old.nextSibling;
          gone.replaceWith(made);
        } else parent.append(made);
      }
    }
    while (old) {
      const gone = old;
      old = old.nextSibling;
      gone.remove();
    }
  }

  /** Change an element into another of its kind; false when it is of another. */
  #reuse(old, node) {
    if (typeof node === "string") {
      if (old.nodeType !== Node.TEXT_NODE) return false;
      if (old.data === node) return true;
      if (node.startsWith(old.data)) old.appendData(node.slice(old.data.length));
      else old.data = node;
      return true;
    }
    if (node.tag === "code-block") return this.#reuseCode(old, node);
    const inner = node.tag === "table" ? old.firstChild : old;
    if (inner?.localName !== node.tag || (node.tag === "table") !== (old.className === "scroller")) return false;
    setAttributes(inner, node.attributes);
    this.#patch(inner, node.children);
    return true;
  }

  #reuseCode(old, node) {
    if (old.className !== "code" || old.dataset.language !== node.language) return false;
    const code = old.querySelector("code");
    code.classList.toggle("unheard", Boolean(node.attributes?.class));
    if (!code.firstChild) code.append("");
    return this.#reuse(code.firstChild, node.children[0]);
  }

  #make(node) {
    if (typeof node === "string") return document.createTextNode(node);
    if (node.tag === "code-block") return this.#makeCode(node);
    if (!TAGS.has(node.tag)) throw new Error(`no such element: ${node.tag}`);
    const made = document.createElement(node.tag);
    setAttributes(made, node.attributes);
    for (const child of node.children) made.append(this.#make(child));
    return node.tag === "table" ? scroller(made) : made;
  }

  #makeCode(node) {
    const frame = element("div", "code");
    frame.dataset.language = node.language;
    const head = element("div", "code-head");
    const name = element("span", "language");
    name.textContent = node.language;
    const copy = element("button", "copy-code");
    copy.type = "button";
    copy.textContent = say("copy-code");
    const scrolled = element("pre", "");
    scrolled.tabIndex = 0;
    scrolled.setAttribute("role", "region");
    scrolled.setAttribute("aria-label", [say("code"), node.language].filter(Boolean).join(": "));
    const code = element("code", node.attributes?.class ?? "");
    code.textContent = node.children[0];
    copy.addEventListener("click", () => this.#copy(copy, code.textContent));
    head.append(name, copy);
    scrolled.append(code);
    frame.append(head, scrolled);
    return frame;
  }

  async #copy(button, words) {
    await copyText(words);
    button.textContent = say("copied");
    this.#announce(say("copied"));
    setTimeout(() => {
      button.textContent = say("copy-code");
    }, COPIED_MS);
  }
}

function element(tag, name) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}

/** A table that is wider than the page scrolls by itself, by keyboard as well. */
function scroller(table) {
  const frame = element("div", "scroller");
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", say("table"));
  frame.append(table);
  return frame;
}

function setAttributes(made, attributes = {}) {
  for (const { name } of [...made.attributes]) if (!(name in attributes)) made.removeAttribute(name);
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.has(name)) throw new Error(`no such attribute: ${name}`);
    if (made.getAttribute(name) !== value) made.setAttribute(name, value);
  }
}

function lineEnds(text) {
  const found = [];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) found.push(at);
  return found;
}

// What was heard

const textOf = (node) => (typeof node === "string" ? node : node.children.map(textOf).join(""));

/** Count the characters that are shown of the beginning of a text. */
const lengthOf = (beginning) => blocks(beginning, { open: true }).map(({ node }) => textOf(node)).join("").length;

/** Mark all text after so many characters as not heard. */
function dimmed(nodes, heard) {
  let left = heard;
  const dim = (node) => {
    if (typeof node === "string") {
      const here = Math.min(left, node.length);
      left -= here;
      const rest = { tag: "span", attributes: { class: "unheard" }, children: [node.slice(here)] };
      return here === node.length ? [node] : here ? [node.slice(0, here), rest] : [rest];
    }
    if (node.tag !== "code-block") return [{ ...node, children: node.children.flatMap(dim) }];
    const silent = left <= 0;
    left -= Math.min(left, textOf(node).length);
    return [silent ? { ...node, attributes: { class: "unheard" } } : node];
  };
  return nodes.flatMap(dim);
}

// What is being spoken

/** Find one of the sentences that are spoken, in order, in what an element shows; null when it is not there. */
export function sentenceRange(shown, sentences, index) {
  const places = []; // where each letter and each digit stands: marks and spaces are not spoken
  const walker = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT);
  let letters = "";
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest(".code")) continue;
    for (let at = 0; at < node.length; at++) {
      if (!WORD.test(node.data[at])) continue;
      letters += node.data[at].toLowerCase();
      places.push([node, at]);
    }
  }
  let begin = 0;
  let end = 0;
  for (const sentence of sentences.slice(0, index + 1)) {
    const wanted = Array.from(sentence.toLowerCase(), (character) => (WORD.test(character) ? character : "")).join("");
    begin = wanted ? letters.indexOf(wanted, end) : -1;
    if (begin >= 0) end = begin + wanted.length;
  }
  if (begin < 0 || !sentences[index]) return null;
  const range = document.createRange();
  range.setStart(...places[begin]);
  range.setEnd(places[end - 1][0], places[end - 1][1] + 1);
  return range;
}
