"""Date and time as a prompt has them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.moment import dated, zone_named


@pytest.mark.parametrize(
    ("moment", "zone", "told"),
    [
        (datetime(2026, 11, 27, 13, 32, tzinfo=UTC), "Europe/Berlin", "2026-11-27 Fri 14:32"),
        (datetime(2026, 7, 1, 22, 5, tzinfo=UTC), "Europe/Berlin", "2026-07-02 Thu 00:05"),  # summer time
        (datetime(2026, 10, 25, 0, 59, tzinfo=UTC), "Europe/Berlin", "2026-10-25 Sun 02:59"),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), "Europe/Berlin", "2026-10-25 Sun 02:00"),  # once more
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "Pacific/Kiritimati", "2027-01-01 Fri 13:59"),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), "Pacific/Pago_Pago", "2026-12-31 Thu 13:00"),
        (datetime(2028, 2, 29, 12, 0, tzinfo=UTC), "Asia/Kathmandu", "2028-02-29 Tue 17:45"),
    ],
)
def test_the_time_of_a_place(moment: datetime, zone: str, told: str) -> None:
    assert dated("Hi?", moment, ZoneInfo(zone)) == f"[{told} {zone}]\nHi?"


@pytest.fixture
def machine_in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "IST-5:30")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("machine_in_india")
def test_without_a_zone_it_is_the_machine_s() -> None:
    told = dated("Hi?", datetime(2026, 11, 27, 22, 0, tzinfo=UTC), None)
    assert told == "[2026-11-28 Sat 03:30 UTC+0530]\nHi?"


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (datetime(2026, 11, 27, 13, 30, tzinfo=UTC), "[14:32]"),
        (datetime(2026, 11, 26, 23, 30, tzinfo=UTC), "[14:32]"),  # half past midnight in Berlin
        (datetime(2026, 11, 26, 22, 30, tzinfo=UTC), "[2026-11-27 Fri 14:32 Europe/Berlin]"),
    ],
)
def test_the_date_is_told_once_a_day(after: datetime, told: str) -> None:
    moment = datetime(2026, 11, 27, 13, 32, tzinfo=UTC)
    assert dated("Hi?", moment, ZoneInfo("Europe/Berlin"), after) == f"{told}\nHi?"


@pytest.mark.parametrize("name", [None, "", "Europe", "Nowhere/Land", "../../etc/passwd", "/etc/localtime", "a\0b"])
def test_no_zone(name: str | None) -> None:
    assert zone_named(name) is None


@given(st.text(max_size=64))
def test_any_name_is_a_zone_or_none(name: str) -> None:
    zone = zone_named(name)
    assert zone is None or zone.key == name


@given(st.text(), st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_what_is_said_stays_as_it_is(text: str, moment: datetime) -> None:
    assert dated(text, moment, ZoneInfo("America/Sao_Paulo")).endswith(f" America/Sao_Paulo]\n{text}")
