"""Values between the two processes: plain ones arrive as they were, and nothing else as a plain one."""

import io
import json
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.benchmarks.plain_values import (
    DEEPEST,
    DamagedError,
    NotPlainError,
    decode,
    encode,
    read_frame,
    write_frame,
)

HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**60)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters())
    | st.binary(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=8,
)
VALUES = st.recursive(
    HASHABLE | st.builds(bytearray, st.binary()) | st.builds(range, st.integers(), st.integers()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(HASHABLE, inner, max_size=4) | st.sets(HASHABLE, max_size=4)
    ),
    max_leaves=12,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
NAMES = st.sampled_from(
    [
        "list",
        "tuple",
        "set",
        "frozenset",
        "deque",
        "dict",
        "range",
        "complex",
        "int",
        "float",
        "str",
        "bytes",
        "reference",
    ]
)


def over(value: Any) -> Any:  # noqa: ANN401
    """Send a value over the pipe."""
    return decode(json.loads(json.dumps(encode(value))))


def types_of(value: Any) -> Any:  # noqa: ANN401
    """Return the types of a value and of all in it."""
    if isinstance(value, dict):
        return (type(value), [(types_of(key), types_of(held)) for key, held in value.items()])
    if isinstance(value, list | tuple):
        return (type(value), [types_of(each) for each in value])
    return type(value)


@given(VALUES)
def test_plain_values_arrive_as_they_were(value: object) -> None:
    arrived = over(value)
    assert arrived == value
    assert types_of(arrived) == types_of(value)


@pytest.mark.parametrize("value", ["\ud800", "\ud834\udd1e", "\U0001d11e", -0.0, float("inf"), -(2**53)], ids=ascii)
def test_odd_ones_too(value: object) -> None:
    assert repr(over(value)) == repr(value)
    assert over(10**5000) == 10**5000
    assert str(over(float("nan"))) == "nan"


@pytest.mark.parametrize(
    "value", [Counter("aab"), OrderedDict(a=1), defaultdict(int, {"a": 1})], ids=lambda value: type(value).__name__
)
def test_dictionaries_arrive_as_dictionaries(value: dict[str, int]) -> None:
    assert over(value) == dict(value)
    assert type(over(value)) is dict


def test_a_deque_arrives_as_one() -> None:
    assert over(deque([1, 2])) == deque([1, 2])


class Number(int):
    """An int that equals everything."""

    def __eq__(self, other: object) -> bool:
        """Be equal."""
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize("value", [Number(1), object(), (Number(1),), {Number(1): 2}, len, iter([]), {}.keys()])
def test_what_is_no_plain_value_is_none(value: object) -> None:
    with pytest.raises(NotPlainError):
        encode(value)


def test_it_may_become_a_reference() -> None:
    number = Number(7)
    held: list[object] = []

    def refer(value: object) -> int:
        held.append(value)
        return len(held)

    told = encode([1, number], refer)
    assert told == ["list", [1, ["reference", 1]]]
    assert decode(told, lambda reference: held[reference - 1])[1] is number


def test_what_is_too_deep_or_holds_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    deep: object = 1
    for _ in range(DEEPEST):
        deep = [deep]
    assert over(deep) == deep
    for value in (endless, [deep]):
        with pytest.raises(NotPlainError, match="more than 150"):
            encode(value)


@given(JSON | st.builds(lambda name, rest: [name, *rest], NAMES, st.lists(JSON, max_size=3)))
def test_whatever_arrives_is_a_value_or_damaged(data: object) -> None:
    try:
        value = decode(data, str)
    except DamagedError:
        return
    encode(value)


@given(st.binary(max_size=100))
def test_frames(data: bytes) -> None:
    sink = io.BytesIO()
    write_frame(sink, data)
    sink.seek(0)
    assert read_frame(sink.read) == data


def test_frames_are_bounded() -> None:
    with pytest.raises(NotPlainError, match="a value of more than"):
        write_frame(io.BytesIO(), bytes((32 << 20) + 1))
    with pytest.raises(DamagedError, match="a message of 4294967295 bytes"):
        read_frame(io.BytesIO(b"\xff" * 8).read)
