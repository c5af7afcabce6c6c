"""What became of messages: each way in which one can be wrong is counted, and named."""

import pytest

from workers.bench.faults.dialogue import question
from workers.bench.faults.judge import LEAST_REMEMBERED, Outcome, judge


def text(number: int, before: str | None = None, chat: str = "a1") -> str:
    held = before or ("nothing" if number == 1 else f"1-{number - 1}" if number > 2 else "1")
    return f"Chat {chat} is answered number {number}. Before it came {held}."


GOOD = Outcome(
    platform="telegram",
    chat="a1",
    number=1,
    status="answered",
    error=None,
    answer=text(1),
    texts=(text(1),),
    voices=1,
    place=1,
)


def turn(number: int, **changes: object) -> Outcome:
    answer = text(number)
    return GOOD._replace(number=number, answer=answer, texts=(answer,), place=number)._replace(**changes)  # type: ignore[arg-type] # any field's


def test_all_is_well() -> None:
    verdict = judge([turn(1), turn(2), turn(3)])
    assert (verdict.turns, verdict.answered, verdict.remembered_all, verdict.faults) == (3, 3, 3, [])


@pytest.mark.parametrize(
    ("changes", "figure"),
    [
        ({"texts": ()}, "lost"),
        ({"status": None, "texts": (), "answer": ""}, "lost"),
        ({"texts": (text(1), text(1))}, "doubled"),
        ({"voices": 2}, "doubled"),
        ({"texts": (text(2),)}, "doubled"),
        ({"status": "failed", "error": "model-unavailable", "texts": ("The model is away.",)}, "failed_told"),
        ({"status": "failed", "error": "reply-failed", "texts": (), "told": False}, "lost"),
        ({"answer": text(1, "1-3")}, "wrong_memory"),
        ({"answer": text(1, "something wrong")}, "wrong_memory"),
    ],
)
def test_what_is_wrong_is_counted_and_named(changes: dict[str, object], figure: str) -> None:
    verdict = judge([turn(1, **changes)])
    assert getattr(verdict, figure) == 1
    assert "message 1 of chat a1" in verdict.faults[0]


def test_an_uncertain_answer_is_neither_lost_nor_answered() -> None:
    verdict = judge([turn(1, error="reply-uncertain", texts=()), turn(2, error="reply-uncertain")])
    assert (verdict.uncertain, verdict.uncertain_arrived, verdict.lost, verdict.answered) == (2, 1, 0, 0)
    assert verdict.faults == []


def test_one_that_came_twice_is_doubled_however_uncertain() -> None:
    assert judge([turn(1, error="reply-uncertain", texts=(text(1), text(1)))]).doubled == 1


def test_words_of_june_beside_the_answer_are_no_answers() -> None:
    verdict = judge([turn(1, error="voice-unavailable", voices=0, texts=("No voice this time.", text(1)))])
    assert (verdict.answered, verdict.without_voice) == (1, 1)


def test_a_platform_that_keeps_nothing_is_judged_by_the_result() -> None:
    assert judge([turn(1, texts=(), keeps=False)]).answered == 1
    assert judge([turn(1, texts=(), keeps=False, answer="")]).lost == 1


def test_answers_out_of_order_are_counted() -> None:
    verdict = judge([turn(2, place=3), turn(1, place=7), turn(3, place=9)])
    assert verdict.out_of_order == 1
    assert "answered before 1" in verdict.faults[0]


def test_chats_have_orders_of_their_own() -> None:
    other = turn(1, chat="b2", answer=text(1, chat="b2"), texts=(text(1, chat="b2"),), place=0)
    assert judge([turn(1, place=5), other]).faults == []


def test_a_turn_that_was_given_up_is_not_remembered() -> None:
    given_up = turn(2, status="failed", error="model-unavailable", answer="", texts=("Sorry.",), place=None)
    verdict = judge([turn(1), given_up, turn(3, answer=text(3, "1"))])
    assert (verdict.wrong_memory, verdict.failed_told) == (0, 1)


def test_the_oldest_may_be_forgotten_but_not_the_last() -> None:
    before = [turn(number) for number in range(1, 31)]
    last = LEAST_REMEMBERED
    assert judge([*before, turn(31, answer=text(31, f"{31 - last}-30"))]).wrong_memory == 0
    assert judge([*before, turn(31, answer=text(31, f"{32 - last}-30"))]).wrong_memory == 1
    assert judge([*before, turn(31, answer=text(31, "1-29"))]).wrong_memory == 1
    summary_and_last = f"1-7, {31 - last}-30"
    assert judge([*before, turn(31, answer=text(31, summary_and_last))]).wrong_memory == 0
    assert judge([*before, turn(31, answer=text(31, f"1-7, {32 - last}-30"))]).wrong_memory == 1
    assert judge([*before, turn(31, answer=text(31, f"{31 - last}-30, 1-7"))]).wrong_memory == 1
    assert judge([*before, turn(31, answer=text(31, f"{31 - last}-31"))]).wrong_memory == 1


def test_the_question_is_no_answer() -> None:
    assert judge([turn(1, texts=(question("a1", 1),))]).lost == 1
