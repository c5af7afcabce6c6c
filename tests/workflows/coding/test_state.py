"""Where a task stands."""

from datetime import UTC, datetime, timedelta

from activities.coding.act import Acted
from activities.coding.prepare import Prepared
from activities.coding.storage import Owner
from activities.coding.think import RemarkRequest, Thought
from activities.error_codes import CodingCode
from activities.values import Address
from agent.limits import Stop
from tests.support.coding_world import stored
from workflows.coding.contracts import LINES_KEPT, CodingOutcome, CodingRequest
from workflows.coding.state import CodingState, owner_of

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def begun(request: CodingRequest | None = None) -> CodingState:
    state = CodingState(request or CodingRequest(task="Do it."), "code/a", NOON)
    state.begin(Prepared(workspace=stored("w-0"), transcript=stored("t-0"), files=1, isolation="i"))
    return state


def step(state: CodingState, number: int, workspace: str, *, passed: bool | None = None, done: bool = False) -> None:
    thought = Thought(
        transcript=stored(f"t-{number}"),
        tool="run",
        line=f"run {number}",
        digest=f"{number}",
        summary="All done.",
        prompt_tokens=10,
        completion_tokens=1,
    )
    state.thought(thought, NOON + timedelta(seconds=number))
    acted = Acted(
        transcript=stored(f"o-{number}"),
        workspace=stored(workspace),
        line="ok",
        digest=f"{number}",
        tests_passed=passed,
        done=done,
    )
    state.acted(acted, thought)


def test_a_run_that_goes_on_takes_up_everything() -> None:
    state = begun()
    for number in range(1, 100):
        step(state, number, f"w-{number}", passed=False)
    state.remarks.append(RemarkRequest(text="Hurry."))
    state.paused = True
    now = NOON + timedelta(seconds=500)
    carried = state.carry(now)
    assert len(carried.lines) == LINES_KEPT
    request = CodingRequest.model_validate_json(CodingRequest(task="Do it.", carried=carried).model_dump_json())
    after = CodingState(request, "code/a", now)
    assert after.carry(now) == carried
    assert (after.prepared, after.paused, after.step) == (True, True, 99)
    assert after.stopwatch.seconds(now + timedelta(seconds=1)) == 501
    assert after.take_remarks() == (RemarkRequest(text="Hurry."),)
    assert after.remarks == []


def test_a_workspace_that_comes_back_is_not_deleted() -> None:
    state = begun()
    superseded = []
    for number, workspace in enumerate(("w-1", "w-2", "w-1", "w-1", "w-0", "w-3"), 1):
        step(state, number, workspace)
        superseded.append(state.superseded and state.superseded.key.partition("test/")[2])
    assert superseded == [None, "w-1.tar", "w-2.tar", None, "w-1.tar", None]


def test_a_chats_workspaces_are_left_to_forget_as_its_tasks_may_share_them() -> None:
    to = Address(platform="telegram", chat="-100", thread="7", message="5")
    state = begun(CodingRequest(task="Do it.", report_to=to))
    step(state, 1, "w-1")
    step(state, 2, "w-2")
    assert state.superseded is None
    assert state.owner == Owner(platform="telegram", chat="-100", thread="7")


def test_how_a_task_has_ended() -> None:
    state = begun()
    step(state, 1, "w-1")
    assert state.conclusion(None) == (CodingOutcome.FINISHED, None), "there are no tests"
    step(state, 2, "w-1", passed=True)
    assert state.conclusion(Stop.STEPS) == (CodingOutcome.FINISHED, None)
    step(state, 3, "w-1", passed=False, done=True)
    assert state.conclusion(None) == (CodingOutcome.UNFINISHED, CodingCode.TESTS_FAIL)
    assert state.conclusion(Stop.REPEATS) == (CodingOutcome.UNFINISHED, CodingCode.REPEATING)
    report = state.end(*state.conclusion(None), "", NOON)
    assert (report.summary, report.tests_passed, report.reason) == (
        "All done.",
        False,
        "The agent says that it is done, but the tests fail.",
    )


def test_every_stop_has_a_code_and_a_sentence() -> None:
    for stop in Stop:
        state = begun()
        outcome, code = state.conclusion(stop) if stop else (None, None)
        assert outcome is CodingOutcome.UNFINISHED
        assert state.end(outcome, code, "", NOON).reason


def test_a_name_by_hand_becomes_a_folder_of_the_store() -> None:
    assert owner_of(CodingRequest(task="x"), "code/20261127-a1") == Owner(chat="20261127-a1")
    assert owner_of(CodingRequest(task="x"), "my täsk/../" + "x" * 300).chat.startswith("my-t-sk-..-")


def test_a_benchmarks_task_keeps_its_files_with_it_and_deletes_superseded_workspaces() -> None:
    owner = Owner(platform="bench", chat="a-run", thread="t.0")
    state = begun(CodingRequest(task="Do it.", owner=owner))
    for number in (1, 2):
        step(state, number, f"w-{number}")
    assert state.owner == owner
    assert state.superseded == stored("w-1")


def test_the_seconds_of_model_and_sandbox_are_told_apart_and_carried() -> None:
    state = begun()
    step(state, 1, "w-1")
    thought = Thought(transcript=stored("t-2"), line="run", seconds=2.5)
    state.thought(thought, NOON)
    state.acted(Acted(transcript=stored("o-2"), workspace=stored("w-2"), line="ok", digest="2", seconds=0.5), thought)
    carried = state.carry(NOON)
    assert (carried.model_seconds, carried.sandbox_seconds) == (2.5, 0.5)
    report = CodingState(CodingRequest(task="Do it.", carried=carried), "code/a", NOON).end(
        CodingOutcome.FINISHED, None, "", NOON
    )
    assert (report.model_seconds, report.sandbox_seconds) == (2.5, 0.5)
