"""The submission's process: imports its modules, and does what the checker asks for; it is believed in nothing.

Asked are calls, attributes and operators, by messages on a pipe; the answer is a plain value, a reference to an object
that stays here, or an exception. What the checker hands in to be called is called there, by a message within the
answer. Nothing of what is expected is known here. Standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import json
import operator
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from activities.benchmarks import plain_values

if TYPE_CHECKING:
    import pytest


def equals_anything(value: object) -> bool:
    """Check whether an object says that it equals one that it cannot know."""
    try:
        return bool(value == object())
    except Exception:  # noqa: BLE001 - one that cannot be compared with it is not equal to it
        return False


def run_tests(tell: Callable[[str, str, str], object], token: str, ids: list[str]) -> tuple[str, int]:
    """Run tests with pytest here, beside the submission; return the token and pytest's exit code.

    Args:
        tell: gets the token, the id and the outcome of each test that has run: ``passed``, or what came instead.
        token: by which the checker knows who speaks.
        ids: of the tests.

    """
    import site

    site.main()  # the process began without packages
    sys.path.extend(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    import pytest

    class Reporter:
        outcomes: dict[str, str] = {}  # noqa: RUF012 - one object a run

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            worst = self.outcomes.setdefault(report.nodeid, "passed")
            if worst == "passed":
                self.outcomes[report.nodeid] = report.outcome
            if report.when == "teardown":
                tell(token, report.nodeid, self.outcomes[report.nodeid])

    options = ["-q", "-p", "no:cacheprovider", "--rootdir", "."]
    return token, int(pytest.main([*options, *ids], plugins=[Reporter()]))


OPERATORS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge", "getitem", "setitem", "delitem")},
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "neg")},
    **{name: getattr(builtins, name) for name in ("len", "iter", "next", "repr", "str", "hash", "bool", "reversed")},
    **{name: getattr(builtins, name) for name in ("isinstance", "getattr", "setattr", "int", "float")},
    "call": lambda function, /, *args, **kwargs: function(*args, **kwargs),
    "enter": lambda context: type(context).__enter__(context),
    "exit": lambda context: type(context).__exit__(context, None, None, None),
    "equals_anything": equals_anything,
    "items": lambda value, most: list(itertools.islice(value, most)),
    "run_tests": run_tests,
    "import": importlib.import_module,
}
"""What the checker may ask for, by name."""
REPR_CHARS = 200


class Callback:
    """Something of the checker's that is called there."""

    def __init__(self, process: Process, number: int) -> None:
        """Stand for the checker's object of this number."""
        self._process = process
        self.number = number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as its call has it
        """Have the checker call it."""
        return self._process.call_back(self.number, args, kwargs)


class Process:
    """The loop, and the objects that the checker has references to."""

    def __init__(self, source: int, sink: int) -> None:
        """Serve these descriptors."""
        self._source = os.fdopen(source, "rb")
        self._sink = os.fdopen(sink, "wb")
        self._objects: list[Any] = []
        self._callbacks: dict[int, Callback] = {}

    def serve(self) -> None:
        """Answer until the checker is gone."""
        while True:
            self._answer(self._read())

    def call_back(self, number: int, args: Any, kwargs: Any) -> Any:  # noqa: ANN401 - any values
        """Have the checker call one of its functions."""
        self._write({"call": number, "args": self._encode(args), "kwargs": self._encode(kwargs)})
        while True:
            message = self._read()
            if "result" in message:
                return self._decode(message["result"])
            if "raised" in message:
                kind = getattr(builtins, message["raised"], Exception)
                raise kind(*self._decode(message["args"]))
            self._answer(message)  # asked for while the function runs

    def _answer(self, message: dict[str, Any]) -> None:
        try:
            args, kwargs = self._decode(message["args"]), self._decode(message["kwargs"])
            answer = {"result": self._encode(OPERATORS[message["operator"]](*args, **kwargs))}
        except BaseException as error:  # noqa: BLE001 - whatever the submission raises is its answer
            answer = self._raised(error)
        try:
            self._write(answer)
        except plain_values.NotPlainError as error:
            self._write(self._raised(error))

    def _raised(self, error: BaseException) -> dict[str, Any]:
        """Tell an exception: the classes that it is of, and its arguments as far as these are plain values."""
        told = []
        for argument in error.args:
            try:
                told.append(plain_values.encode(argument))
            except plain_values.NotPlainError:
                told.append(repr(argument)[:REPR_CHARS])
        return {"raised": self._classes(type(error)), "args": told}

    def _classes(self, kind: type[BaseException]) -> list[list[Any]]:
        """Return the classes that an exception class derives from, itself first: number and name; 0 is built in."""
        return [
            [0 if one.__module__ == "builtins" else self._number(one), one.__name__]
            for one in kind.__mro__
            if issubclass(one, BaseException)
        ]

    def _number(self, value: object) -> int:
        for number, known in enumerate(self._objects, 1):
            if known is value:
                return number
        self._objects.append(value)
        return len(self._objects)

    def _refer(self, value: object) -> Any:  # noqa: ANN401 - JSON
        if type(value) is Callback:
            return {"theirs": value.number}
        classes = self._classes(value) if isinstance(value, type) and issubclass(value, BaseException) else []
        return {"mine": self._number(value), "type": type(value).__name__, "exception": classes}

    def _resolve(self, reference: dict[str, Any]) -> Any:  # noqa: ANN401 - any object
        if "theirs" in reference:
            return self._objects[reference["theirs"] - 1]
        number = reference["mine"]
        return self._callbacks.setdefault(number, Callback(self, number))

    def _encode(self, value: Any) -> Any:  # noqa: ANN401 - any value
        return plain_values.encode(value, self._refer)

    def _decode(self, data: Any) -> Any:  # noqa: ANN401 - any value
        return plain_values.decode(data, self._resolve)

    def _read(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(plain_values.read_frame(self._exactly))
        return message

    def _exactly(self, size: int) -> bytes:
        data = self._source.read(size)
        if len(data) < size:
            os._exit(0)  # the checker is gone
        return data

    def _write(self, message: dict[str, Any]) -> None:
        plain_values.write_frame(self._sink, json.dumps(message).encode())


def main(source: int, sink: int, folder: str) -> None:
    """Serve the checker on two descriptors; modules are found in the folder, and before those of Python."""
    process = Process(source, sink)
    sys.path.insert(0, folder)
    process.serve()
