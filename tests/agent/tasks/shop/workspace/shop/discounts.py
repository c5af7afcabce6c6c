"""Discount codes."""

CODES = {"WELCOME10": 10, "HALF": 50}
"""Percent that is taken off."""


def reduced(cents: int, code: str | None) -> int:
    """Return what is left to pay of a sum in cents, rounded down; an unknown code, or none, changes nothing."""
    percent = CODES.get(code or "", 0)
    return cents * percent // 100
