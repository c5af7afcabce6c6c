/** Keeps the newest in sight as long as nobody scrolls up to read. */

const UNPIN_PX = 3;
const REPIN_PX = 60;
const BUTTON_PX = 200;

const page = document.documentElement;
let pinned = true;
let last = 0; // where the page was scrolled to

const left = () => page.scrollHeight - page.clientHeight - window.scrollY;

/** Go to the end, and stay there as it grows. */
export function toEnd() {
  pinned = true;
  window.scrollTo({ top: page.scrollHeight, behavior: "instant" });
  last = window.scrollY;
}

/** Follow the end of what grows; the button leads there, while it is far away. */
export function followEnd(growing, button) {
  const look = () => {
    button.hidden = left() <= BUTTON_PX;
  };
  window.addEventListener("scroll", () => {
    const up = last - window.scrollY;
    // At the very end nobody has scrolled up: the page has become shorter.
    if (up >= UNPIN_PX && left() >= 1) pinned = false;
    else if (up < 0 && left() < REPIN_PX) pinned = true;
    if (Math.abs(up) >= UNPIN_PX || up < 0) last = window.scrollY;
    look();
  }, { passive: true });
  new ResizeObserver(() => {
    if (pinned) toEnd();
    look();
  }).observe(growing);
  button.addEventListener("click", () => {
    toEnd();
    look();
  });
}
