"""The submission's process by itself, on pipes; ``test_remote`` asks it what the checker asks."""

import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from activities.benchmarks import plain_values
from activities.benchmarks.submission_process import OPERATORS, Process, equals_anything


class Checker:
    """The other end of the pipes."""

    def __init__(self) -> None:
        """Serve in a thread of this process; the pipes are closed with the test."""
        to_read, self._sink = os.pipe()
        self._source, to_write = os.pipe()
        self.process = Process(to_read, to_write)
        self.reading = os.fdopen(self._source, "rb")
        self.writing = os.fdopen(self._sink, "wb")

    def ask(self, name: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        """Write a message, have it answered, and return the answer."""
        message = {"operator": name, "args": plain_values.encode(args), "kwargs": plain_values.encode({})}
        plain_values.write_frame(self.writing, json.dumps(message).encode())
        answering = threading.Thread(target=lambda: self.process._answer(self.process._read()))
        answering.start()
        answer = json.loads(plain_values.read_frame(self.reading.read))
        answering.join()
        return answer


@pytest.fixture
def checker() -> Iterator[Checker]:
    """A process that answers."""
    checker = Checker()
    yield checker
    for file in (checker.reading, checker.writing, checker.process._source, checker.process._sink):
        file.close()


def test_answers_are_values_references_and_exceptions(checker: Checker) -> None:
    assert checker.ask("add", 1, 2) == {"result": 3}
    told = checker.ask("iter", [1])["result"]
    assert told == ["reference", {"mine": 1, "type": "list_iterator", "exception": []}]
    raised = checker.ask("import", "no_such_module_at_all")
    assert raised["raised"][:2] == [[0, "ModuleNotFoundError"], [0, "ImportError"]]
    assert raised["args"] == ["No module named 'no_such_module_at_all'"]


def test_what_is_no_operator_is_an_exception(checker: Checker) -> None:
    assert checker.ask("system", "ls")["raised"][0] == [0, "KeyError"]


def test_nothing_compares_with_what_is_expected() -> None:
    assert not {"contains", "in", "is"}.intersection(OPERATORS)


class Odd:
    """An object whose comparison fails."""

    def __eq__(self, other: object) -> bool:
        """Fail, as one that knows its own kind alone."""
        raise AttributeError

    __hash__ = object.__hash__


def test_what_equals_anything() -> None:
    equal = type("Equal", (), {"__eq__": lambda *_: True, "__hash__": object.__hash__})()
    assert equals_anything(equal)
    assert not any(map(equals_anything, [1, "", None, object(), Odd()]))
