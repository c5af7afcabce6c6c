"""Prompts: what the model sees of a transcript, and what is left out where it does not fit."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.actions import Finish, Read, RunTests, Write
from agent.files import UNCHANGED
from agent.messages import Message, ToolCall
from agent.observations import TESTS_FAIL, TESTS_PASS
from agent.prompt import BLOCK, BY_NOW, KEPT_STEPS, MAX_LINES, MEND, NOT_YET, OWN_TESTS, Driver, Window, build, estimate
from agent.step import CUT
from agent.transcript import Entry, Observation, Remark, Task, Turn
from tests.agent.test_transcript import ENTRIES

WINDOW = Window(8192, 1500)
TASK = Task(text="Mend it.\n", test_command="make test", files=("a.py", "b.py"))
READ = Turn(step=1, text='{"tool": "read", "path": "a.py"}', action=Read(path="a.py"))
SEEN = Observation(step=1, text="a.py, 1 line:\nx = 1")


def told(entries: list[Entry], driver: Driver = Driver.SCHEMA, window: Window = WINDOW) -> list[Message]:
    """Return the messages after the instructions."""
    system, *messages = build(entries, driver, window).messages
    assert system.role == "system"
    return messages


def steps(count: int, chars: int = 400) -> list[Entry]:
    """Return a transcript of so many steps."""
    entries: list[Entry] = [TASK, Observation(step=0, text="before")]
    for step in range(1, count + 1):
        action = Write(path=f"f{step}.py", content="x" * chars)
        text = f'{{"thought": "", "action": {action.model_dump_json()}}}'
        entries += [
            Turn(step=step, text=text, action=action, call_id=f"id{step}"),
            Observation(step=step, text=f"{step}:" + "y" * chars),
        ]
    return entries


def test_a_task_with_what_is_known_is_one_message() -> None:
    (message,) = told([TASK, Observation(step=0, text="The tests fail.")])
    assert message == Message(
        "user", "Mend it.\n\nThe tests are run by: make test\n\nAll files:\na.py\nb.py\n\nThe tests fail."
    )
    assert told([Task(text="Write it.")]) == [Message("user", "Write it.\n\nThe workspace is empty.")]


def test_steps_by_the_schema() -> None:
    prompt = build([TASK, READ, SEEN, Remark(text="Hurry.", by="person")], Driver.SCHEMA, WINDOW)
    assert prompt.messages[2:] == (
        Message("assistant", READ.text),
        Message("user", f"{SEEN.text}\n\nThe person says: Hurry."),
    )
    assert (bool(prompt.schema), prompt.tools) == (True, ())


def test_steps_by_tools() -> None:
    turn = READ.model_copy(update={"text": "I look.", "call_id": "abc", "problem": "Only the first was done."})
    prompt = build([TASK, turn, SEEN, Remark(text="Hurry.", by="june")], Driver.TOOLS, WINDOW)
    assert prompt.messages[2:] == (
        Message("assistant", "I look.", (ToolCall("abc", "read", '{"path":"a.py"}'),)),
        Message("tool", SEEN.text, call_id="abc"),
        Message("user", "Only the first was done.\n\nHurry."),
    )
    assert (prompt.schema, len(prompt.tools)) == (None, 7)


def test_json_in_text_stays_text_where_tools_drive() -> None:
    assert told([TASK, READ, SEEN], Driver.TOOLS)[1:] == [Message("assistant", READ.text), Message("user", SEEN.text)]


def test_native_calls_become_json_where_the_schema_drives() -> None:
    turn = Turn(step=1, text="", action=Finish(summary="x"), call_id="abc")
    assert told([TASK, turn])[1].content == '{"thought": "", "action": {"tool": "finish", "summary": "x"}}'


def test_problems_are_told_once() -> None:
    turn = Turn(step=1, text="z" * 5000, problem="Your answer holds no action.")
    _, said, problem = told([TASK, turn])
    assert (said.role, len(said.content) <= 600) == ("assistant", True)
    assert problem == Message("user", "Your answer holds no action.")
    aside = READ.model_copy(update={"problem": "Only the first was done."})
    assert told([TASK, aside, SEEN])[2].content == f"{SEEN.text}\n\nOnly the first was done."


def size(messages: list[Message]) -> int:
    """Estimate the tokens."""
    return sum(estimate(message.content) for message in messages)


def test_what_fits_is_whole() -> None:
    messages = told(steps(5))
    assert "left out" not in "".join(message.content for message in messages)


def test_old_outputs_go_first() -> None:
    whole = size(list(build(steps(20), Driver.SCHEMA, Window(100_000, 0)).messages))
    messages = told(steps(20), window=Window(whole, 0))
    assert [step for step in range(1, 21) if f"[output of step {step} left out: " in str(messages)] == [1, 2, 3, 4]
    assert messages[2].content == "[output of step 1 left out: 402 characters]"
    assert "xxx" in messages[1].content


@pytest.mark.parametrize("driver", Driver)
@pytest.mark.parametrize("count", [50, 250])
def test_of_many_old_steps_a_line_is_left(driver: Driver, count: int) -> None:
    messages = told(steps(count), driver)
    assert size(messages) <= WINDOW.context_tokens - WINDOW.answer_tokens
    text = "\n".join(message.content for message in messages)
    assert messages[0].content.startswith("Mend it.")
    assert "before" in messages[0].content
    for step in range(count - KEPT_STEPS + 1, count + 1):
        assert f"{step}:yyy" in text
    assert ("shortened: write f16.py, 1 line]" in text) == (count == 50)
    assert ("[steps 1 to" in text) == (count == 250)
    assert text.count("shortened: ") <= MAX_LINES


def test_the_beginning_stays_the_same_for_a_while() -> None:
    """So that the server's prompt cache is of use: some of the prompts differ in their end alone."""
    changed, before = 0, told(steps(30))
    for count in range(31, 31 + 4 * BLOCK):
        messages = told(steps(count))
        changed += messages[: len(before) - 1] != before[:-1]
        before = messages
    assert changed <= 3 * BLOCK


def test_one_huge_output_is_cut() -> None:
    entries: list[Entry] = [TASK, READ, Observation(step=1, text="y" * 10_000)]
    messages = told(entries, window=Window(4096, 1000))
    assert size(messages) <= 3096
    assert "characters left out]" in messages[-1].content


def test_thinking_takes_its_room() -> None:
    assert size(told(steps(20), window=Window(16_000, 1000))) > size(told(steps(20), window=Window(16_000, 1000, 9000)))


def test_letters_of_other_scripts_count_for_more() -> None:
    assert (estimate(""), estimate("abcd"), estimate("水水")) == (0, 2, 2)


@given(st.lists(ENTRIES, max_size=8), st.sampled_from(Driver), st.integers(500, 9000))
@example(
    [
        Turn(step=2, text="", action=RunTests(), call_id="0"),
        Observation(step=1, text=""),
        Remark(text="", by="person"),
        Observation(step=0, text=""),
    ],
    Driver.TOOLS,
    500,
)
def test_roles_alternate_whatever_was_said(entries: list[Entry], driver: Driver, context: int) -> None:
    messages = told(entries, driver, Window(context, 400))
    for before, after in itertools.pairwise(messages):
        assert not before.role == after.role == "user"
        assert after.role != "tool" or (before.role, before.calls[0].id) == ("assistant", after.call_id)


def test_an_action_without_arguments_is_an_empty_object() -> None:
    turn = Turn(step=1, text="", action=RunTests(), call_id="1")
    assert told([TASK, turn, SEEN], Driver.TOOLS)[1].calls == (ToolCall("1", "run_tests", "{}"),)


def test_a_call_that_is_not_answered_at_once_is_told_as_text() -> None:
    turn = READ.model_copy(update={"call_id": "abc"})
    messages = told([TASK, turn, Remark(text="Stop.", by="person"), SEEN], Driver.TOOLS)
    assert [(message.role, message.calls) for message in messages] == [("user", ()), ("assistant", ()), ("user", ())]


def test_one_that_answers_by_text_hears_of_done_once_it_has_done_something() -> None:
    entries: list[Entry] = [Task(text="Write a.py"), Turn(step=1, text="DONE", action=Finish(summary=""))]
    assert "DONE" not in " ".join(message.content for message in build(entries[:1], Driver.TEXT, WINDOW).messages)
    assert build(entries, Driver.TEXT, WINDOW).messages[-1].content.endswith(NOT_YET)
    entries += [Turn(step=2, text="", action=Write(path="a.py", content="")), Observation(step=2, text="1 passed")]
    assert build(entries, Driver.TEXT, WINDOW).messages[-1].content == f"1 passed\n\n{BY_NOW}"
    assert BY_NOW not in build(entries, Driver.SCHEMA, WINDOW).messages[-1].content
    entries += [entries[1], Observation(step=3, text="The task is not done. It names files that are not there: b.py.")]
    assert build(entries, Driver.TEXT, WINDOW).messages[-1].content.endswith(NOT_YET)


def test_one_whose_tests_fail_does_not_hear_of_done() -> None:
    wrote = Turn(step=1, text="", action=Write(path="a.py", content=""))
    read = Turn(step=2, text="", action=Read(path="a.py"))
    entries: list[Entry] = [TASK, wrote, Observation(step=1, text=f"{TESTS_FAIL}1 failed):"), read, SEEN]
    assert build(entries, Driver.TEXT, WINDOW).messages[-1].content.endswith(MEND)
    entries += [wrote, Observation(step=3, text=f"{TESTS_PASS}1 passed).")]
    assert build(entries, Driver.TEXT, WINDOW).messages[-1].content.endswith(BY_NOW)


def test_one_whose_own_tests_fail_hears_that_their_values_may_be_wrong() -> None:
    wrote = Turn(step=1, text="", action=Write(path="test_b.py", content=""))
    fails = Observation(step=1, text=f"{TESTS_FAIL}1 failed):\nE  assert 1 == 2\n\ntest_b.py:8: AssertionError")
    last = build([TASK, wrote, fails], Driver.TEXT, WINDOW).messages[-1].content
    assert last.endswith(OWN_TESTS.format(paths="test_b.py"))
    was_there = TASK.model_copy(update={"files": ("test_b.py",)})
    assert build([was_there, wrote, fails], Driver.TEXT, WINDOW).messages[-1].content.endswith(MEND)
    for line in ("b.py:3: AssertionError", "test_b.py:3: NameError"):
        other = fails.model_copy(update={"text": f"{fails.text}\n\n{line}"})
        assert build([TASK, wrote, other], Driver.TEXT, WINDOW).messages[-1].content.endswith(MEND)


def test_one_that_answers_by_text_does_not_read_what_changed_nothing() -> None:
    wrote = Turn(step=1, text="a.py", action=Write(path="a.py", content="x = 1"))
    entries: list[Entry] = [TASK, wrote, Observation(step=1, text=f"a.py {UNCHANGED}\nb.py {UNCHANGED}")]
    assert build(entries, Driver.TEXT, WINDOW).messages[1] == build([TASK], Driver.TEXT, WINDOW).messages[1]._replace(
        content=f"{told([TASK], Driver.SCHEMA)[0].content}\n\n{BY_NOW}"
    )
    assert len(build(entries, Driver.SCHEMA, WINDOW).messages) == 4
    entries[2] = Observation(step=1, text=f"Wrote a.py: 1 line.\nb.py {UNCHANGED}")
    assert len(build(entries, Driver.TEXT, WINDOW).messages) == 4


def test_one_that_answers_by_text_does_not_read_its_words_without_an_action() -> None:
    words = Turn(step=1, text="I will write files.", problem="Your answer holds no action.")
    assert build([TASK, words], Driver.TEXT, WINDOW) == build([TASK], Driver.TEXT, WINDOW)
    assert words.problem in told([TASK, words])[-1].content
    cut = words.model_copy(update={"problem": f"{CUT}Your answer holds no action."})
    assert CUT in build([TASK, cut], Driver.TEXT, WINDOW).messages[-1].content
