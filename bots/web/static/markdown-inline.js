/**
 * Markdown within a line: a text becomes a list of strings and nodes `{ tag, attributes, children }`.
 *
 * Whatever is written, the time it takes grows with its length and no faster: models write anything, and strangers
 * have models write worse. HTML and equations stay the text that they are.
 */

const DEEPEST = 12; // emphasis within emphasis; what is deeper stays text
const LONGEST_ADDRESS = 2000;
const SAFE = new Set(["http:", "https:", "mailto:"]);
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
const SPECIAL = /[\\`*_~[!<&\n]|https?:\/\/|\bwww\.|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g;
const TARGET = [ // of a link: an address, bare or in angle brackets, and a title, which is not shown
  String.raw`\(\s{0,9}(?:<([^<>\n]{0,2000})>|((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.){0,500}\)){0,2000}))`,
  String.raw`(?:\s{1,9}(?:"[^"]{0,500}"|'[^']{0,500}'))?\s{0,9}\)`,
].join("");
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const SPACE = /^\s$/;
const PUNCTUATION = /^[\p{P}\p{S}]$/u;
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]$/u;
const BEGUN = /(?:!?\[|[*_~`]{1,3}|[\\<&])$/; // marks at the end whose meaning the next characters decide
const TRIMMED = 20; // brackets and marks after an address, at most

/** Give an address that may be opened from june's page; null for any other. */
function safeAddress(written) {
  if (written.length > LONGEST_ADDRESS) return null;
  try {
    const url = new URL(written.replaceAll("&amp;", "&")); // an address without a scheme is none
    return SAFE.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function link(address, children) {
  const attributes = { href: address, title: address, target: "_blank", rel: "noopener noreferrer nofollow" };
  return { tag: "a", attributes, children };
}

/** Read a text; while it is `open`, more of it is to come, and what has begun is taken as meant. */
export function inline(text, { open = false, inLink = false } = {}) {
  return new Reader(open ? text.replace(BEGUN, "") : text, open, inLink).read();
}

class Reader {
  #items = []; // strings, nodes, and runs of emphasis marks that may still open something
  #openers = []; // { at, run, inner }: those runs; the depth of what stands between one and the next
  #bottoms = new Map(); // no opener for such a mark is below
  #ticks = null;
  #pairs = null;

  constructor(text, open, inLink) {
    Object.assign(this, { text, open, inLink, at: 0 });
  }

  read() {
    while (this.at < this.text.length) {
      SPECIAL.lastIndex = this.at;
      const found = SPECIAL.exec(this.text);
      this.#push(this.text.slice(this.at, found ? found.index : undefined));
      if (!found) break;
      this.at = found.index;
      this.#special(found[0]);
    }
    if (this.open) while (this.#openers.length) this.#wrapRest();
    return merged(this.#items);
  }

  #special(mark) {
    const { text } = this;
    if (mark === "\\") return this.#escape();
    if (mark === "`") return this.#code();
    if (mark === "\n") return this.#break();
    if (mark === "<") return this.#autolink();
    if (mark === "&") return this.#entity();
    if (mark === "[") return this.#link(this.at);
    if (mark === "!") return text[this.at + 1] === "[" ? this.#link(this.at + 1) : this.#take(1);
    if (mark.length > 1) return this.#address(mark);
    return this.#emphasis(mark);
  }

  #push(item) {
    if (item === "") return;
    this.#items.push(item);
    const top = this.#openers.at(-1);
    if (top) top.inner = Math.max(top.inner, item.depth ?? 0);
  }

  /** Take some characters as they are. */
  #take(length) {
    this.#push(this.text.slice(this.at, this.at + length));
    this.at += length;
  }

  #escape() {
    const next = this.text[this.at + 1] ?? "";
    if (next === "\n" || !ESCAPABLE.test(next)) {
      if (next !== "\n") return this.#take(1);
      this.at += 1;
      return this.#break();
    }
    this.#push(next);
    this.at += 2;
  }

  /** A new line is one in speech and in verse, though Markdown would fill lines. */
  #break() {
    const last = this.#items.at(-1);
    if (typeof last === "string") this.#items[this.#items.length - 1] = last.trimEnd();
    this.#push({ tag: "br", children: [] });
    this.at += 1;
    while (this.text[this.at] === " ") this.at += 1;
  }

  #entity() {
    const found = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,4}));/y;
    found.lastIndex = this.at;
    const [whole, decimal, hexadecimal, name] = found.exec(this.text) ?? [];
    const number = Number.parseInt(decimal ?? hexadecimal, decimal ? 10 : 16);
    const said = name ? ENTITIES[name] : number > 31 && number < 0x110000 ? String.fromCodePoint(number) : undefined;
    if (said === undefined) return this.#take(1);
    this.#push(said);
    this.at += whole.length;
  }

  #code() {
    const length = /^`+/.exec(this.text.slice(this.at, this.at + 100))[0].length;
    const begin = this.at + length;
    const end = this.#closingTicks(length, begin);
    if (end < 0 && !(this.open && length < 3)) return this.#take(length);
    const inside = this.text.slice(begin, end < 0 ? undefined : end).replaceAll("\n", " ");
    const padded = /^ .*[^ ].* $/.test(inside.length < 1000 ? inside : "");
    if (inside) this.#push({ tag: "code", children: [padded ? inside.slice(1, -1) : inside] });
    this.at = end < 0 ? this.text.length : end + length;
  }

  /** Find where as many backticks stand again, in one pass over the text for all of them. */
  #closingTicks(length, after) {
    if (!this.#ticks) {
      this.#ticks = new Map();
      for (const run of this.text.matchAll(/`+/g)) {
        const size = run[0].length;
        if (!this.#ticks.has(size)) this.#ticks.set(size, { places: [], next: 0 });
        this.#ticks.get(size).places.push(run.index);
      }
    }
    const runs = this.#ticks.get(length);
    if (!runs) return -1;
    while (runs.places[runs.next] < after) runs.next += 1;
    return runs.places[runs.next] ?? -1;
  }

  #autolink() {
    const line = /<br ?\/?>/iy; // in a table nothing else begins a new line
    line.lastIndex = this.at;
    if (line.test(this.text)) {
      this.#push({ tag: "br", children: [] });
      this.at = line.lastIndex;
      return undefined;
    }
    const found = /<([a-zA-Z][a-zA-Z+.-]{1,31}:[^\s<>]{1,2000}|[\w.+-]{1,64}@[\w.-]{1,255})>/y;
    found.lastIndex = this.at;
    const [whole, inside] = found.exec(this.text) ?? [];
    const address = inside && safeAddress(inside.includes(":") ? inside : `mailto:${inside}`);
    if (!address || this.inLink) return this.#take(1);
    this.#push(link(address, [inside]));
    this.at += whole.length;
    return undefined;
  }

  /** An address that stands in the text as such, without the sentence's own marks after it. */
  #address(mark) {
    if (mark.includes("@")) return this.#linkTo(mark, `mailto:${mark}`);
    const found = /[^\s<>"`\u3000-\u303f\uff00-\uffef]{1,2000}/y;
    found.lastIndex = this.at;
    let written = found.exec(this.text)[0];
    for (let turn = 0; turn < TRIMMED; turn++) {
      written = written.replace(/[.,:;!?'*_~]{1,99}$/, "");
      if (/[)\]]$/.test(written) && count(written, /[)\]]/g) > count(written, /[([]/g)) written = written.slice(0, -1);
    }
    return this.#linkTo(written, mark === "www." ? `https://${written}` : written);
  }

  #linkTo(written, wanted) {
    const address = this.inLink ? null : safeAddress(wanted);
    if (!address || written.length < 5) return this.#take(written.length || 1);
    this.#push(link(address, [written]));
    this.at += written.length;
  }

  /** A link, or an image, which becomes a link to it: the page shows nothing from elsewhere. */
  #link(bracket) {
    const close = this.#closingBracket(bracket);
    if (this.inLink || close === undefined || this.text[close + 1] !== "(") return this.#take(bracket - this.at + 1);
    const target = new RegExp(TARGET, "y");
    target.lastIndex = close + 1;
    const found = target.exec(this.text);
    const words = this.text.slice(bracket + 1, close);
    if (!found) {
      const ended = this.text.length - close > LONGEST_ADDRESS || /[\s)]/.test(this.text.slice(close + 2));
      if (!this.open || ended) return this.#take(bracket - this.at + 1);
      for (const item of inline(words, { inLink: true })) this.#push(item); // its address is still being written
      this.at = this.text.length;
      return undefined;
    }
    const written = (found[1] ?? found[2]).replace(/\\([!-/:-@[-`{-~])/g, "$1");
    const address = safeAddress(written);
    const children = inline(words, { inLink: true });
    if (address) this.#push({ ...link(address, children.length ? children : [written]), depth: 1 + depthOf(children) });
    else for (const item of children) this.#push(item);
    this.at = target.lastIndex;
    return undefined;
  }

  /** Find the bracket that ends what one begins, in one pass over the text for all of them. */
  #closingBracket(bracket) {
    if (!this.#pairs) {
      this.#pairs = new Map();
      const begun = [];
      for (const found of this.text.matchAll(/\\.|[[\]]/g)) {
        if (found[0] === "[") begun.push(found.index);
        else if (found[0] === "]" && begun.length) this.#pairs.set(begun.pop(), found.index);
      }
    }
    return this.#pairs.get(bracket);
  }

  // Emphasis, as CommonMark has it: a run of marks opens, closes, or is text, by what stands beside it

  #emphasis(mark) {
    let end = this.at;
    while (this.text[end] === mark) end += 1;
    const run = { mark, count: end - this.at, ...this.#flanks(mark, end) };
    this.at = end;
    if (mark === "~" && run.count !== 2) return this.#push(mark.repeat(run.count));
    if (run.closes) while (run.count && this.#close(run));
    if (run.count && run.opens) {
      this.#push(run);
      this.#openers.push({ at: this.#items.length - 1, run, inner: 0 });
    } else if (run.count) this.#push(mark.repeat(run.count));
    return undefined;
  }

  #flanks(mark, end) {
    const before = lastCharacter(this.text, this.at);
    const after = end < this.text.length ? String.fromCodePoint(this.text.codePointAt(end)) : " ";
    const apart = (character) => [SPACE, PUNCTUATION, UNSPACED].some((kind) => kind.test(character));
    const left = !SPACE.test(after) && (!PUNCTUATION.test(after) || apart(before));
    const right = !SPACE.test(before) && (!PUNCTUATION.test(before) || apart(after));
    if (mark !== "_") return { opens: left, closes: right };
    return { opens: left && (!right || PUNCTUATION.test(before)), closes: right && (!left || PUNCTUATION.test(after)) };
  }

  /** Close with some marks of a run what the nearest fitting run has opened. */
  #close(run) {
    const key = `${run.mark}${run.opens}${run.count % 3}`;
    const bottom = Math.min(this.#bottoms.get(key) ?? 0, this.#openers.length);
    let place = this.#openers.length - 1;
    while (place >= bottom && !fits(this.#openers[place].run, run)) place -= 1;
    if (place < bottom) {
      this.#bottoms.set(key, this.#openers.length);
      return false;
    }
    const used = run.mark === "~" || (run.count > 1 && this.#openers[place].run.count > 1) ? 2 : 1;
    if (!this.#wrap(place, used)) return false;
    run.count -= used;
    return true;
  }

  #wrap(place, used) {
    const opener = this.#openers[place];
    let depth = 1;
    for (let each = place; each < this.#openers.length; each++) depth = Math.max(depth, 1 + this.#openers[each].inner);
    this.#forget(depth > DEEPEST ? place : place + 1);
    if (depth > DEEPEST) return false;
    const children = merged(this.#items.splice(opener.at + 1));
    opener.run.count -= used;
    opener.inner = 0;
    if (!opener.run.count) {
      this.#items.pop();
      this.#forget(place);
    }
    const tag = opener.run.mark === "~" ? "del" : used === 2 ? "strong" : "em";
    this.#push({ tag, children, depth });
    return true;
  }

  /** Take what the last opener has begun as meant to the end. */
  #wrapRest() {
    const place = this.#openers.length - 1;
    const { run } = this.#openers[place];
    if (run.count > 3 || !this.#wrap(place, Math.min(2, run.count))) this.#forget(place);
  }

  /** Keep so many openers. */
  #forget(kept) {
    const inner = this.#openers.slice(kept).reduce((most, each) => Math.max(most, each.inner), 0);
    this.#openers.length = kept;
    for (const [key, bottom] of this.#bottoms) this.#bottoms.set(key, Math.min(bottom, kept));
    const top = this.#openers.at(-1);
    if (top) top.inner = Math.max(top.inner, inner);
  }
}

function fits(opener, closer) {
  if (opener.mark !== closer.mark) return false;
  const both = opener.closes || closer.opens;
  return !both || (opener.count + closer.count) % 3 !== 0 || (opener.count % 3 === 0 && closer.count % 3 === 0);
}

const count = (text, marks) => text.match(marks)?.length ?? 0;
const depthOf = (nodes) => nodes.reduce((most, node) => Math.max(most, node.depth ?? 0), 0);

function lastCharacter(text, end) {
  if (!end) return " ";
  const pair = end > 1 && /[\ud800-\udbff]/.test(text[end - 2]) && /[\udc00-\udfff]/.test(text[end - 1]);
  return text.slice(end - (pair ? 2 : 1), end);
}

/** Join neighbouring strings, and give marks that were none back as text. */
function merged(items) {
  const found = [];
  let words = [];
  const flush = () => {
    if (words.length) found.push(words.join(""));
    words = [];
  };
  for (const item of items) {
    if (typeof item === "string") words.push(item);
    else if (item.mark) words.push(item.mark.repeat(item.count));
    else {
      flush();
      found.push(item);
    }
  }
  flush();
  return found;
}
