"""Actions by code blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.actions import Finish, Run, Write, WrittenFile
from agent.blocks import Block, actions, blocks
from agent.step import Reply, interpret

CODE = "x = 1\n"


@pytest.mark.parametrize(
    "before",
    ["a/b.py", "**a/b.py**", "`a/b.py`", "### `a/b.py`:", "Now I write `a/b.py`:", "1. a/b.py", "File: `a/b.py`"],
)
def test_a_path_stands_before_its_block(before: str) -> None:
    (block,) = blocks(f"I write it.\n\n{before}\n\n```python\n{CODE}```\n")
    assert block == Block("python", "a/b.py", CODE, whole=True, mentioned="a/b.py")


@pytest.mark.parametrize("info", ["python a/b.py", "python:a/b.py"])
def test_a_path_stands_in_the_first_line(info: str) -> None:
    assert blocks(f"```{info}\n{CODE}```") == [Block("python", "a/b.py", CODE, whole=True)]
    assert blocks("```\n# a/b.py\n```")[0].path == "a/b.py"


@pytest.mark.parametrize("before", ["It prints e.g. this", "Version 1.5 is", "Here you are:", "", "- one"])
def test_other_lines_are_no_paths(before: str) -> None:
    assert blocks(f"{before}\n```python\n{CODE}```")[0].path == ""


def test_a_block_may_hold_a_shorter_fence() -> None:
    (block,) = blocks("a.md\n````\n```python\nx\n```\n````\n")
    assert block.content == "```python\nx\n```\n"


def test_files_go_before_a_command() -> None:
    text = "a.py\n```python\nx = 1\n```\n\ntest_a.py\n```python\ny = 2\n```\nThen:\n```bash\npytest\n```\nDONE"
    turn = interpret(1, Reply(text))
    assert turn.action == Write(path="a.py", content=CODE, also=(WrittenFile(path="test_a.py", content="y = 2\n"),))


def test_a_command_and_an_end() -> None:
    assert interpret(1, Reply("I look.\n```bash\n$ ls -la\n```")).action == Run(command="ls -la")
    assert interpret(1, Reply("DONE. Wrote it, with tests.")).action == Finish(summary="Wrote it, with tests.")
    assert interpret(1, Reply("The task is done.")).action is None


def test_functions_belong_to_the_file_that_is_spoken_of() -> None:
    said = "`merged()` in `intervals/merging.py` is wrong:\n```python\ndef merged(): ...\n```\nThis one merges all."
    (action,) = actions(said, whole=True)
    assert (action["path"], action["content"], action["also"]) == ("intervals/merging.py", "def merged(): ...\n", [])
    assert actions("In a.py:1 is\n```\nx = 1\n```", whole=True) == []
    assert actions("In a.py is\n```\ndef broken(\n```", whole=True) == []
    assert actions("```python\ndef merged(): ...\n```\nof a.py", whole=True) == []


def test_a_block_that_was_cut_is_none() -> None:
    text = "a.py\n```python\nx = 1\n```\nb.py\n```python\ny ="
    assert interpret(1, Reply(text, finish_reason="length")).action == Write(path="a.py", content=CODE)
    assert interpret(1, Reply(text[25:], finish_reason="length")).action is None
    assert len(actions(text, whole=True)[0]["also"]) == 1


@given(st.text(alphabet="`~a.py/\n #*:DONE", max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    for block in blocks(text):
        assert "\0" not in block.path
    interpret(1, Reply(text))
