"""Python values as JSON, between the checker and the submission's process: plain values, and references to the rest.

Plain is what is of exactly one of the built-in types below, or of a container of ``collections``; a subclass of one,
which may have methods of its own, is not. Values are copied; what is no plain value becomes a reference, by number.
Runs in the sandbox, too: standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import collections
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

DEEPEST = 150
"""Containers within containers."""
MAX_FRAME = 32 << 20
"""Bytes of a message."""
SMALL = 1 << 53
LENGTH = struct.Struct(">I")
SEQUENCES: dict[str, type[Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": collections.deque,
}
NAMES = {kind: name for name, kind in SEQUENCES.items()}
DICTIONARIES = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
"""All arrive as a ``dict``."""


class NotPlainError(Exception):
    """A value that cannot be told: no plain value, or too deep."""


class DamagedError(Exception):
    """A message that no honest process writes."""


def no_reference(value: object) -> Any:  # noqa: ANN401 - JSON
    """Refuse what is no plain value.

    Raises:
        NotPlainError: always.

    """
    raise NotPlainError(f"a value of the type {type(value).__name__} is no plain value")


def encode(value: Any, refer: Callable[[Any], Any] = no_reference, depth: int = 0) -> Any:  # noqa: ANN401 - any value
    """Return a value as JSON.

    Args:
        value: any.
        refer: returns what stands for an object that is no plain value: JSON.
        depth: containers around it.

    Raises:
        NotPlainError: it is too deep, or contains itself.

    """
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value  # JSON has all of a float's digits, and Python's has its infinities
    if kind is int:
        return value if -SMALL < value < SMALL else ["int", hex(value)]
    if kind is str:
        return value if value.isascii() else ["str", value.encode("utf-8", "surrogatepass").hex()]
    if kind is complex:
        return ["complex", value.real.hex(), value.imag.hex()]
    if kind is bytes or kind is bytearray:
        return [kind.__name__, value.hex()]
    if kind is range:
        return ["range", *(encode(number) for number in (value.start, value.stop, value.step))]
    if depth >= DEEPEST:
        raise NotPlainError(f"a value of more than {DEEPEST} containers within each other")
    if kind in NAMES:
        return [NAMES[kind], [encode(each, refer, depth + 1) for each in value]]
    if kind in DICTIONARIES:
        pairs = dict.items(value)
        return ["dict", [[encode(key, refer, depth + 1), encode(held, refer, depth + 1)] for key, held in pairs]]
    return ["reference", refer(value)]


def decode(data: Any, resolve: Callable[[Any], Any] = no_reference) -> Any:  # noqa: ANN401 - any value
    """Return the value that JSON stands for: of built-in types exactly, but for what ``resolve`` returns.

    Raises:
        DamagedError: it stands for none.

    """
    try:
        return _decode(data, resolve)
    except (TypeError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise DamagedError(f"no value: {type(error).__name__}") from error


def _decode(data: Any, resolve: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - any value
    if data is None or type(data) in (bool, int, float, str):
        return data
    if type(data) is not list or not data or type(data[0]) is not str:
        raise ValueError(data)
    name, *held = data
    if name in SEQUENCES:
        (items,) = held
        return SEQUENCES[name](_decode(each, resolve) for each in _list(items))
    if name == "dict":
        (items,) = held
        return {_decode(key, resolve): _decode(each, resolve) for key, each in map(_list, _list(items))}
    if name == "range":
        return range(*(_decode(each, resolve) for each in held))
    if name == "complex":
        return complex(*map(float.fromhex, held))
    (only,) = held
    if name == "reference":
        return resolve(only)
    if name == "int":
        return int(only, 16)
    if name == "str":
        return bytes.fromhex(only).decode("utf-8", "surrogatepass")
    if name == "bytes":
        return bytes.fromhex(only)
    if name == "bytearray":
        return bytearray.fromhex(only)
    raise ValueError(name)


def _list(data: Any) -> list[Any]:  # noqa: ANN401 - JSON
    if type(data) is not list:
        raise ValueError(data)
    return data


def write_frame(sink: BinaryIO, data: bytes) -> None:
    """Write a message with its length.

    Raises:
        NotPlainError: it is too long.

    """
    if len(data) > MAX_FRAME:
        raise NotPlainError(f"a value of more than {MAX_FRAME} bytes")
    sink.write(LENGTH.pack(len(data)) + data)
    sink.flush()


def read_frame(read: Callable[[int], bytes]) -> bytes:
    """Read a message; ``read`` returns exactly so many bytes.

    Raises:
        DamagedError: it is too long.

    """
    (length,) = LENGTH.unpack(read(LENGTH.size))
    if length > MAX_FRAME:
        raise DamagedError(f"a message of {length} bytes")
    return read(length)
