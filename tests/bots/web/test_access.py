"""The page for everybody: axe finds nothing in any state, targets are large, nothing jumps while an answer comes."""

import json
from importlib.resources import files

import pytest
from playwright.async_api import Browser, Page

from tests.bots.web.test_markdown import ANSWER
from tests.support.page_view import DEVICES, view_page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
EXPERIMENTAL = (
    "label-content-name-mismatch",
    "target-size",
    "css-orientation-lock",
    "focus-order-semantics",
    "p-as-heading",
)
"""Rules that axe has switched off by itself."""
FOUND = """
async (rules) => {
  const enabled = Object.fromEntries(rules.map((rule) => [rule, { enabled: true }]));
  const { violations } = await axe.run(document, { rules: enabled, resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => [id, ...nodes.map((node) => [node.html, node.failureSummary])]);
}
"""
TURN = """
window.peaks = Array.from({ length: 44 }, (_, index) => Math.abs(Math.sin(index)));
const inert = { play: async () => {}, stop() {}, send() {}, discard() {} };
window.recording = (state) => ({ id: "r", seconds: 6.4, peaks, state, ...inert });
window.turn = (view_, state) => {
  const card = new view.TurnCard({ replay() {}, askAgain() {} });
  cards.push(card);
  if (state) card.recorded(recording(state));
  const whole = { at: 1795761060, speech: [], done: true, total_ms: 2100, link: "http://localhost/1", notice: null };
  if (view_) card.update({ ...whole, ...view_ });
  return card;
};
null;
"""
STATES = {
    "empty": "",
    "turns": """
        turn({ transcript: "Hello", answer: "Hello!", at: 1795651060 });
        view.divide("A fresh start.", { at: 1795661060 });
        turn({ transcript: "How do I bake bread?", answer, reply: { url: "api/audio/a.ogg", seconds: 3 } }, "sent");
        turn({ transcript: "Tell me more.", answer: "More of **it**.", stopped: true, heard_chars: 4, notice: "Cut." });
        turn({ transcript: "", answer: "", notice: "I heard nothing." });
        cards[1].element.querySelector(".copy").classList.add("done");
    """,
    "streaming": """
        turn({ transcript: "Hi", answer: answer.slice(0, 400), done: false });
        view.show("thinking", text("infer"));
    """,
    "recording": """
        turn({ transcript: "Hello", answer: "Hello!" });
        view.show("speaking-user", text("speaking-user"));
        document.getElementById("how").textContent = text("how-listening", { time: "0:04" });
        document.getElementById("cancel").hidden = false;
        document.getElementById("talk").setAttribute("aria-pressed", "true");
        document.body.dataset.slide = "cancel";
    """,
    "hands-free": """
        turn({ transcript: "Hello", answer: "Hello!" });
        view.show("listening", text("hands-free-on"));
        document.getElementById("hands-free").setAttribute("aria-checked", "true");
        document.getElementById("stop").hidden = false;
    """,
    "draft": 'turn(null, "draft"); turn(null, "waiting"); document.getElementById("offline").hidden = false;',
    "unsent": 'turn().unsent(text("unsent"), () => {});',
    "dialog": 'turn({ transcript: "Hello", answer: "Hello!" }); document.getElementById("settings").showModal();',
    "login": """
        document.getElementById("dock").hidden = true;
        document.getElementById("login").hidden = false;
        document.getElementById("login-error").textContent = text("wrong-password");
    """,
}
SMALL = """
() => [...document.querySelectorAll("button, select, textarea, input, a")]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.matches(".skip, .answer a, #password"))
  .map((each) => [each, (each.type === "checkbox" ? each.closest("label") : each).getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([each, box]) => [each.outerHTML.slice(0, 80), box.width, box.height])
"""


async def in_state(page: Page, state: str) -> None:
    await page.evaluate(TURN)
    await page.evaluate(f"(answer) => {{ {STATES[state]} }}", ANSWER)
    await page.wait_for_timeout(50)  # frames in which answers are painted


async def faults(page: Page) -> list[object]:
    """Return what axe finds, in a window so high that nothing is half below the header, which axe takes for small."""
    assert page.viewport_size
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    await page.evaluate(AXE)
    found: list[object] = await page.evaluate(FOUND, EXPERIMENTAL)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(view_browser: Browser, view_url: str, device: str, scheme: str) -> None:
    found = {}
    for state in STATES:
        async with view_page(view_browser, view_url, device, scheme, reduced_motion="reduce") as page:
            await in_state(page, state)
            found[state] = await faults(page)
    assert {state: some for state, some in found.items() if some} == {}, json.dumps(found, indent=1)


@pytest.mark.parametrize("language", ["de", "es", "fr"])
async def test_what_is_seen_is_in_the_name_in_every_language(
    view_browser: Browser, view_url: str, language: str
) -> None:
    async with view_page(view_browser, view_url, locale=language) as page:
        await in_state(page, "turns")
        assert await faults(page) == []


@pytest.mark.parametrize("device", DEVICES)
async def test_fingers_find_everything(view_browser: Browser, view_url: str, device: str) -> None:
    for state in STATES:
        async with view_page(view_browser, view_url, device) as page:
            await in_state(page, state)
            assert await page.evaluate(SMALL) == [], state


# Nothing jumps

SHIFTS = """
() => new Promise((resolve) => {
  const entries = [];
  const observer = new PerformanceObserver((list) => entries.push(...list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  setTimeout(() => {
    const shifts = entries.filter((entry) => !entry.hadRecentInput);
    const named = ({ node }) => node?.id || node?.className || node?.nodeName;
    const total = shifts.reduce((sum, entry) => sum + entry.value, 0);
    resolve([total, shifts.map((entry) => [entry.value, ...entry.sources.map(named)])]);
  }, 200);
})
"""
WHOLE_TURN = """
async (answer) => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  view.show("speaking-user", text("speaking-user"));
  document.getElementById("cancel").hidden = false;
  for (let n = 0; n < 10; n++) await frame();
  document.getElementById("cancel").hidden = true;
  document.getElementById("stop").hidden = false;
  const card = turn(null, "waiting");
  await frame();
  card.recorded(recording("sent"));
  const view_ = { at: 1795761060, speech: [], transcript: "", done: false, link: "", notice: null, answer: "" };
  view.show("thinking", text("transcribe"));
  card.update(view_);
  await frame();
  view.show("thinking", text("infer"));
  for (let end = 0; end <= answer.length; end += 4) {
    card.update({ ...view_, transcript: "How do I bake bread?", answer: answer.slice(0, end) });
    await frame();
  }
  view.show("speaking", text("speaking"));
  card.update({ ...view_, transcript: "How do I bake bread?", answer, done: true, total_ms: 2100, link: "http://localhost/1",
    reply: { url: "api/audio/a.ogg", seconds: 3 } });
  await frame();
  document.getElementById("stop").hidden = true;
  view.show("idle", "");
  await frame();
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("before", [0, 1, 8])
async def test_a_turn_moves_nothing(view_browser: Browser, view_url: str, device: str, before: int) -> None:
    async with view_page(view_browser, view_url, device) as page:
        await page.evaluate(TURN)
        for _ in range(before):
            await page.evaluate('turn({ transcript: "Hello", answer: "Hello! What shall we talk about?" })')
        await page.evaluate(WHOLE_TURN, ANSWER)
        total, shifts = await page.evaluate(SHIFTS)
        assert total < 0.1, shifts


@pytest.mark.parametrize("device", DEVICES)
async def test_opening_with_a_history_moves_nothing(view_browser: Browser, view_url: str, device: str) -> None:
    async with view_page(view_browser, view_url, device, history=True) as page:
        total, shifts = await page.evaluate(SHIFTS)
        assert await page.locator(".turn").count() == 12
        assert await page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 1")
        assert total < 0.1, shifts


async def test_what_jumps_is_measured(view_browser: Browser, view_url: str) -> None:
    async with view_page(view_browser, view_url) as page:
        await page.evaluate(TURN)
        for _ in range(2):
            await page.evaluate('turn({ transcript: "Hello", answer: "Hello!" })')
        await page.evaluate("new Promise((resolve) => setTimeout(resolve, 100))")
        await page.evaluate("document.querySelector('header').style.paddingTop = '400px'")
        total, _ = await page.evaluate(SHIFTS)
        assert total > 0.1
