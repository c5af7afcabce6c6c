"""The checker's side of the submission's process: starts it, asks it, and has a proxy for each object that stays there.

What comes back is a value of exactly a built-in type, a ``Remote``, or an exception that is made here. A ``Remote`` is
never equal to anything but another one, so that an object which says that it equals everything is equal to nothing that
a check expects; nor is a plain value ever told to the submission to be compared with. Standard library only, Python 3.9
or newer.
"""

from __future__ import annotations

import builtins
import json
import os
import select
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

from activities.benchmarks import plain_values

MOST_ITEMS = 10_000
"""Of an iterator of the submission's."""


class EndedError(BaseException):
    """The submission's process is gone, or says what no value is; no check expects it."""


class TimeUpError(BaseException):
    """The submission has used up its time; no check expects it."""


class SubmissionError(Exception):
    """An exception of the submission's that is none of the built-in ``Exception`` classes."""


class Submission:
    """The submission's process, and the time that it has left."""

    def __init__(self, bootstrap: str, modules: list[tuple[str, str]], folder: str, seconds: float) -> None:
        """Start it.

        Args:
            bootstrap: program that loads the modules.
            modules: names and sources, for the process.
            folder: where the submission is.
            seconds: wall-clock time for all that it is asked, with its start.

        """
        self.seconds = 0.0
        """Time that was waited for it."""
        self.out_of_memory = False
        """Whether it has raised a ``MemoryError``."""
        self.plain_only = False
        """Whether objects that stay there come as ``Opaque``, with which nothing can be done."""
        self._limit = seconds
        self._objects: list[Any] = []
        self._classes: dict[int, type[BaseException]] = {}
        self._proxies: dict[int, Remote] = {}
        to_read, self._sink = os.pipe()
        self._source, to_write = os.pipe()
        arguments = {"modules": modules, "arguments": [to_read, to_write, folder], "main": "submission_process"}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", bootstrap],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(to_read, to_write),
            cwd=folder,
        )
        os.close(to_read)
        os.close(to_write)
        os.set_blocking(self._sink, False)
        os.set_blocking(self._source, False)
        assert self.process.stdin  # noqa: S101 - a pipe
        try:
            self.process.stdin.write(json.dumps(arguments).encode())
            self.process.stdin.close()
        except BrokenPipeError as error:
            raise EndedError("its process has not started") from error

    def ask(self, name: str, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any values
        """Have an operator applied (``submission_process.OPERATORS``); return or raise what comes of it.

        Raises:
            EndedError: the process is gone, or its answer is none.
            TimeUpError: the time is up.

        """
        self._write({"operator": name, "args": self._encode(args), "kwargs": self._encode(kwargs)})
        while True:
            message = self._read()
            try:
                if "result" in message:
                    return self._decode(message["result"])
                if "raised" in message:
                    error = self._exception(message)
                    break
                self._serve(self._objects[int(message["call"]) - 1], message)
            except (plain_values.DamagedError, LookupError, TypeError, ValueError, RecursionError) as damaged:
                raise EndedError(f"its answer is none ({damaged})") from damaged
        raise error

    def close(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()

    def _serve(self, function: Callable[..., Any], message: dict[str, Any]) -> None:
        """Call a function of the checker's for the submission."""
        args, kwargs = self._decode(message["args"]), self._decode(message["kwargs"])
        if type(args) is not tuple or type(kwargs) is not dict:
            raise EndedError("its answer is none")
        try:
            answer = {"result": self._encode(function(*args, **kwargs))}
        except Exception as error:  # noqa: BLE001 - is told to the submission
            texts = tuple(str(each) for each in error.args)
            answer = {"raised": type(error).__name__, "args": plain_values.encode(texts)}
        self._write(answer)

    def _exception(self, message: dict[str, Any]) -> BaseException:
        kind = self._class(message["raised"])
        if kind is MemoryError:
            self.out_of_memory = True
        return kind(*[plain_values.decode(each) for each in message["args"]])

    def _class(self, classes: Any) -> type[BaseException]:  # noqa: ANN401 - JSON
        """Return the class here that stands for an exception class there; one that is built in stands for itself."""
        number, name = classes[0]
        if type(number) is not int or type(name) is not str:
            raise EndedError("its answer is none")
        if not number:
            found = vars(builtins).get(name)
            known = isinstance(found, type) and issubclass(found, Exception)
            return found if known else SubmissionError  # type: ignore[return-value] # known is checked
        if number not in self._classes:
            self._classes[number] = type(name, (self._class(classes[1:]) if classes[1:] else SubmissionError,), {})
        return self._classes[number]

    def _refer(self, value: Any) -> Any:  # noqa: ANN401 - any object
        if type(value) is Remote:
            return {"theirs": object.__getattribute__(value, "_number")}
        if type(value) is Opaque:
            return {"theirs": value.number}
        for number, kind in self._classes.items():
            if kind is value:
                return {"theirs": number}
        for number, known in enumerate(self._objects, 1):
            if known is value:
                return {"mine": number}
        self._objects.append(value)
        return {"mine": len(self._objects)}

    def _resolve(self, reference: Any) -> Any:  # noqa: ANN401 - any object
        if "theirs" in reference:
            return self._objects[int(reference["theirs"]) - 1]
        if reference["exception"]:
            return self._class(reference["exception"])
        number = int(reference["mine"])
        if self.plain_only:
            return Opaque(number, str(reference["type"]))
        if number not in self._proxies:
            self._proxies[number] = Remote(self, number, str(reference["type"]))
        return self._proxies[number]

    def _encode(self, value: Any) -> Any:  # noqa: ANN401 - any value
        return plain_values.encode(value, self._refer)

    def _decode(self, data: Any) -> Any:  # noqa: ANN401 - any value
        return plain_values.decode(data, self._resolve)

    def _read(self) -> dict[str, Any]:
        try:
            message = json.loads(plain_values.read_frame(self._exactly))
        except (ValueError, RecursionError, plain_values.DamagedError) as error:
            raise EndedError("its answer is none") from error
        if type(message) is not dict or not {"result", "raised", "call"}.intersection(message):
            raise EndedError("its answer is none")
        return message

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._source, select.POLLIN)
            try:
                piece = os.read(self._source, min(1 << 20, size - len(data)))
            except BlockingIOError:
                continue
            if not piece:
                raise EndedError("its process has ended")
            data += piece
        return bytes(data)

    def _write(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        left = memoryview(plain_values.LENGTH.pack(len(data)) + data)
        while left:
            self._wait(self._sink, select.POLLOUT)
            try:
                left = left[os.write(self._sink, left) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise EndedError("its process has ended") from error

    def _wait(self, descriptor: int, event: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        began = time.monotonic()
        ready = poll.poll(max(0.0, self._limit - self.seconds) * 1000)
        self.seconds += time.monotonic() - began
        if not ready:
            raise TimeUpError


class Opaque:
    """An object of the submission's that is no result of a function: equal to itself alone, and able to do nothing."""

    def __init__(self, number: int, kind: str) -> None:
        """Stand for the object of this number."""
        self.number = number
        self._kind = kind

    def __repr__(self) -> str:
        """Name its type."""
        return f"<a {self._kind} of the submission>"


class Function:
    """A function of the submission's whose results are values; an iterator's items come at once, as of an iterator."""

    def __init__(self, submission: Submission, module: str, name: str) -> None:
        """Import it.

        Raises:
            TypeError: it is none.

        """
        submission.plain_only = True
        self._submission = submission
        self._function = submission.ask("getattr", submission.ask("import", module), name)
        if type(self._function) is not Opaque:
            raise TypeError(f"{name} is no function")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function has it
        """Call it there."""
        result = self._submission.ask("call", self._function, *args, **kwargs)
        if type(result) is not Opaque:
            return result
        try:
            items = self._submission.ask("items", result, MOST_ITEMS)
        except Exception:  # noqa: BLE001 - it has none
            return result
        return iter(items) if type(items) is list else result


class Remote:
    """An object of the submission's, to be used as tests use objects."""

    def __init__(self, submission: Submission, number: int, kind: str) -> None:
        """Stand for the object of this number."""
        object.__setattr__(self, "_submission", submission)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function has it
        """Call it there."""
        return _ask(self, "call", *args, **kwargs)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any value
        """Read an attribute there."""
        if name.startswith("__") and name.endswith("__") and name != "__name__":
            raise AttributeError(name)
        return _ask(self, "getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - any value
        """Set an attribute there."""
        _ask(self, "setattr", name, value)

    def __eq__(self, other: object) -> bool:
        """Compare two objects there; to be equal they may not equal anything else."""
        if self is other:
            return True
        if type(other) is not Remote or _ask(self, "equals_anything") is not False:
            return False
        return _ask(self, "eq", other) is True

    def __ne__(self, other: object) -> bool:
        """Compare two objects there."""
        return _ask(self, "ne", other) is True if type(other) is Remote else True

    def __hash__(self) -> int:
        """Return what tells the object from others."""
        return hash(object.__getattribute__(self, "_number"))

    def __iter__(self) -> Iterator[Any]:
        """Iterate over it there."""
        iterator = _ask(self, "iter")
        for _ in range(MOST_ITEMS):
            try:
                item = _ask(iterator, "next") if type(iterator) is Remote else next(iterator)
            except StopIteration:
                return
            yield item

    def __next__(self) -> Any:  # noqa: ANN401 - any value
        """Take the next item there."""
        return _ask(self, "next")

    def __instancecheck__(self, value: object) -> bool:
        """Check whether an object is of this class, there."""
        return type(value) is Remote and _ask(value, "isinstance", self) is True

    def __bool__(self) -> bool:
        """Ask whether it is true."""
        return _ask(self, "bool") is True

    def __repr__(self) -> str:
        """Name its type."""
        return f"<a {object.__getattribute__(self, '_kind')} of the submission>"


def _ask(remote: Remote, name: str, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any values
    submission: Submission = object.__getattribute__(remote, "_submission")
    return submission.ask(name, remote, *args, **kwargs)


def _forward(name: str) -> Callable[..., Any]:
    def forwarded(self: Remote, *args: Any) -> Any:  # noqa: ANN401 - any values
        return _ask(self, name, *args)

    return forwarded


def _compare(name: str) -> Callable[..., Any]:
    def compared(self: Remote, other: object) -> Any:  # noqa: ANN401 - any value
        return _ask(self, name, other) if type(other) is Remote else NotImplemented

    return compared


def _calculate(name: str) -> Callable[..., Any]:
    def calculated(self: Remote, *args: Any) -> Any:  # noqa: ANN401 - any values
        result = _ask(self, name, *args)
        # A plain result could say that it differs by nothing from what is expected.
        return result if type(result) is Remote else NotImplemented

    return calculated


for _name in ("lt", "le", "gt", "ge"):
    setattr(Remote, f"__{_name}__", _compare(_name))
for _name in ("add", "sub", "mul", "truediv"):
    setattr(Remote, f"__{_name}__", _calculate(_name))
for _method, _operator in {
    **{f"__{name}__": name for name in ("len", "str", "getitem", "setitem", "delitem", "reversed")},
    "__neg__": "neg",
    "__int__": "int",
    "__float__": "float",
    "__enter__": "enter",
}.items():
    setattr(Remote, _method, _forward(_operator))
setattr(Remote, "__exit__", lambda self, *_: _ask(self, "exit"))  # noqa: B010 - beside the others


class RemoteModule(types.ModuleType):
    """A module of the submission's, to be imported by tests; what is not in it is not imported from elsewhere."""

    def __init__(self, name: str, remote: Any) -> None:  # noqa: ANN401 - a Remote, or what an odd process says it is
        """Stand for the module of this name."""
        super().__init__(name)
        self.__dict__["_remote"] = remote

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any value
        """Read a name in the module."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__["_remote"], name)
