"""An answer tells what its prompt held, as june writes prompts: word for word, by a summary, and what is wrong."""

from activities.infer import Message
from workers.bench.faults.dialogue import Answered, answer, question, read
from workflows.voice.contracts import Exchange, Memory
from workflows.voice.memory import prompt, summary_prompt


def asked(memory: Memory, said: str) -> str:
    return answer([message.model_dump() for message in prompt(memory, said)])


def exchange(chat: str, number: int) -> Exchange:
    said = question(chat, number)
    return Exchange(user=said, assistant=asked(Memory(), said))


def test_the_first_turn_has_nothing_before_it() -> None:
    assert read(asked(Memory(), question("a1", 1))) == Answered("a1", 1, ())


def test_turns_before_are_told_in_their_order() -> None:
    memory = Memory(window=(exchange("a1", 1), exchange("a1", 2), exchange("a1", 4), exchange("a1", 3)))
    assert read(asked(memory, question("a1", 5))) == Answered("a1", 5, (1, 2, 4, 3))


def test_a_caption_is_read_as_well() -> None:
    said = f'About a recording that says "This is a question.":\n{question("a1", 3)}'
    assert read(asked(Memory(), said)) == Answered("a1", 3, ())


def test_a_summary_stands_for_the_turns_that_it_replaced() -> None:
    gone = (exchange("a1", 1), exchange("a1", 2))
    first = answer([message.model_dump() for message in summary_prompt(Memory(), gone)])
    second = answer([message.model_dump() for message in summary_prompt(Memory(summary=first), (exchange("a1", 3),))])
    memory = Memory(summary=second, window=(exchange("a1", 4),))
    assert read(asked(memory, question("a1", 5))) == Answered("a1", 5, (1, 2, 3, 4))


def test_what_was_never_said_is_told() -> None:
    others = (Memory(window=(exchange("b2", 1),)), Memory(summary="Chat b2 had 1-3."))
    crossed = Memory(window=(Exchange(user=question("a1", 1), assistant=exchange("a1", 2).assistant),))
    for memory in (*others, crossed):
        assert read(asked(memory, question("a1", 2))) == Answered("a1", 2, None)


def test_any_other_prompt_has_some_answer() -> None:
    assert answer([Message(role="user", content="Hello").model_dump()]) == "Hello."
    assert read("Hello.") is None
