"""What is asked of the task ``caesar``; runs in the workspace that the agent has left."""

import pytest
from caesar import decrypt, encrypt


@pytest.mark.parametrize(
    ("text", "shift", "secret"),
    [("abc", 1, "bcd"), ("xyz", 3, "abc"), ("Hello, World 7!", 13, "Uryyb, Jbeyq 7!"), ("", 5, "")],
)
def test_both_ways(text: str, shift: int, secret: str) -> None:
    assert encrypt(text, shift) == secret
    assert decrypt(secret, shift) == text


def test_large_and_negative_shifts() -> None:
    assert encrypt("Abc", 27) == "Bcd"
    assert encrypt("Bcd", -1) == "Abc"
