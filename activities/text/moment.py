"""Date and time in a prompt."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Not the locale's: they are read by the model alone."""


def zone_named(name: str | None) -> ZoneInfo | None:
    """Return the rules of a time zone by its IANA name (``Europe/Berlin``); None for a name that has none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no name, a path elsewhere, a folder (``Europe``)
        return None


def dated(text: str, moment: datetime, zone: ZoneInfo | None, after: datetime | None = None) -> str:
    """Put before a message when it was said: ``[2026-11-27 Fri 14:32 Europe/Berlin]``, or ``[14:32]`` later that day.

    It is no sentence, as a small model answers in the language of the first one.

    Args:
        text: what was said.
        moment: when, with its offset from UTC.
        zone: where; None is this machine's.
        after: when the message before it was said, whose date holds for this one; None: there is none.

    """
    local = moment.astimezone(zone)
    if after and after.astimezone(zone).date() == local.date():
        return f"[{local:%H:%M}]\n{text}"
    place = zone.key if zone else f"UTC{local:%z}"
    return f"[{local:%Y-%m-%d} {DAYS[local.weekday()]} {local:%H:%M} {place}]\n{text}"
