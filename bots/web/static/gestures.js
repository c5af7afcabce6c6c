/** How people talk: by holding or tapping the button, by keys, by sliding a finger away. */

const TAP_MS = 300;
const CANCEL_PX = 80;
const LOCK_PX = 60;
const NEAR = 0.5; // of the way: shown before it happens
const CONTROLS = "a, button, input, textarea, select, summary, dialog, audio, [contenteditable], [role=button]";

/**
 * Watch the talk button and the keys. `press`, `release` (after a hold), `cancel` and `escape` are called; `isRecording`
 * says whether a press ends what another has begun.
 */
export function watchGestures(talk, handlers) {
  const hold = new Hold(handlers);
  watchPointer(talk, hold);
  watchKeys(talk, hold, handlers);
  // Screen readers press without a pointer or a key: each is a tap.
  talk.addEventListener("click", (event) => {
    if (event.detail === 0 && !event.pointerType) hold.tap();
  });
}

/** A press that is held: it ends when let go, unless it was a tap, or is locked. */
class Hold {
  #handlers;
  #since = 0;

  constructor(handlers) {
    this.#handlers = handlers;
  }

  begin() {
    this.#since = this.#handlers.isRecording() ? 0 : performance.now();
    this.#handlers.press();
  }

  end() {
    if (!this.#since || performance.now() - this.#since < TAP_MS) return;
    this.#since = 0;
    this.#handlers.release();
  }

  tap() {
    this.#since = 0;
    this.#handlers.press();
  }

  /** Go on without being held. */
  lock() {
    this.#since = 0;
  }

  cancel() {
    this.#since = 0;
    this.#handlers.cancel();
  }
}

function watchPointer(talk, hold) {
  let from = null; // where a finger has begun
  const show = (slide) => {
    if (slide === null) delete document.body.dataset.slide;
    else document.body.dataset.slide = slide;
  };
  const over = () => {
    from = null;
    show(null);
  };
  talk.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    talk.setPointerCapture(event.pointerId);
    hold.begin();
    if (event.pointerType === "mouse") return;
    from = { x: event.clientX, y: event.clientY };
    show("");
  });
  talk.addEventListener("pointermove", (event) => {
    if (!from) return;
    const [left, up] = [(from.x - event.clientX) / CANCEL_PX, (from.y - event.clientY) / LOCK_PX];
    show(left >= NEAR && left > up ? "cancel" : up >= NEAR ? "lock" : "");
    if (left < 1 && up < 1) return;
    if (left >= 1) hold.cancel();
    else hold.lock();
    over();
  });
  talk.addEventListener("pointerup", () => {
    over();
    hold.end();
  });
  talk.addEventListener("pointercancel", () => { // the system has taken the finger: nobody has let go
    over();
    hold.lock();
  });
  talk.addEventListener("contextmenu", (event) => event.preventDefault());
}

function watchKeys(talk, hold, { escape }) {
  let held = null;
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) return escape(event);
    if (!talks(event, talk)) return;
    event.preventDefault();
    if (event.repeat) return;
    held = event.key;
    hold.begin();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== held) return;
    event.preventDefault(); // a key let go of would click as well
    held = null;
    hold.end();
  });
}

/** Space talks from anywhere but a control, Enter on the button alone. */
function talks(event, talk) {
  if (event.target === talk) return event.key === " " || event.key === "Enter";
  return event.key === " " && !talk.closest("[hidden]") && !event.target.closest(CONTROLS) && !document.querySelector("dialog[open]");
}
