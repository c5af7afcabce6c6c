"""What the Web UI shows of a task."""

from datetime import UTC, datetime

from activities.coding.act import Acted
from activities.coding.compare import ChangedFile, Comparison
from activities.coding.prepare import Prepared
from activities.coding.think import Thought
from tests.support.coding_world import stored
from workflows.coding import web_ui
from workflows.coding.contracts import CodingOutcome, CodingRequest
from workflows.coding.state import CodingState
from workflows.one_line import GAP

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def state(task: str = "Mend `cart.py` | now.", steps: int = 2) -> CodingState:
    state = CodingState(CodingRequest(task=task), "code/a", NOON)
    state.begin(Prepared(workspace=stored("w"), transcript=stored("t"), files=3, isolation="none"))
    for step in range(1, steps + 1):
        thought = Thought(
            transcript=stored(f"{step}"), tool="run", line=f"run {step} | x", digest=f"{step}", prompt_tokens=1500
        )
        state.thought(thought, NOON)
        state.acted(
            Acted(transcript=stored("t"), workspace=stored("w"), line="1 failed", digest=f"{step}", seconds=1.25),
            thought,
        )
    return state


def test_a_running_task_shows_its_steps() -> None:
    details = web_ui.of_task(state(), NOON)
    assert "… **running, prepare** — step 2 of 40, 3,000 tokens, 0 s" in details
    assert "> Mend 'cart.py' ¦ now." in details
    assert f"| 2 | {GAP}run 2 ¦ x: 1 failed | {GAP}1.2 s | {GAP}1,500 |" in details


def test_a_finished_one_shows_what_has_changed() -> None:
    ended = state()
    ended.comparison = Comparison(
        patch=stored("p"),
        files=(ChangedFile(path="cart.py", kind="changed", added=2, removed=1),),
        changed=1,
        added=2,
        removed=1,
    )
    ended.end(CodingOutcome.FINISHED, None, "", NOON)
    details = web_ui.of_task(ended, NOON)
    assert "✓ **finished" in details
    assert "- `cart.py` changed, +2 -1" in details


def test_it_fits_what_the_server_takes() -> None:
    assert len(web_ui.of_task(state("ä" * 20_000, 300), NOON).encode()) < 20_000
