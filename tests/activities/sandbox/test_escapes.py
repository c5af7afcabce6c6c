"""Nothing gets out of a sandbox, of containers where that is asked for; the page tells of all that was tried."""

import functools
import os

import pytest

from activities.sandbox.sandbox import SandboxError
from tests.activities.sandbox.attempts import ATTEMPTS
from tests.activities.sandbox.escapes import DOCS, VARIANTS, Verdict, run_all

IN_CONTAINERS = "JUNE_ESCAPES_IN_CONTAINERS"


def test_the_page_tells_of_all_attempts_and_all_were_held() -> None:
    page = DOCS.read_text()
    rows = {row.split("**")[1]: row for row in page.splitlines() if row.startswith("| **")}
    assert list(rows) == [attempt.name for attempt in ATTEMPTS]
    for attempt in ATTEMPTS:
        assert attempt.stopped_by in rows[attempt.name]
        assert "not held" not in rows[attempt.name]
        assert "held |" in rows[attempt.name]


def test_names_are_different() -> None:
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS) >= 30


@functools.cache
def verdicts() -> dict[str, dict[str, Verdict] | str]:
    return {}


async def verdicts_of(variant: str) -> dict[str, Verdict]:
    """Run all attempts on a backend, once; skip where it is not at hand."""
    if not variant.startswith("bubblewrap") and not os.environ.get(IN_CONTAINERS):
        pytest.skip(
            f"five minutes: {IN_CONTAINERS}=1, or python -m tests.activities.sandbox.escapes --backend '{variant}'"
        )
    known = verdicts()
    if variant not in known:
        try:
            known[variant] = {verdict.name: verdict for verdict in await run_all(variant)}
        except SandboxError as error:
            known[variant] = str(error)
    found = known[variant]
    if isinstance(found, str):
        pytest.skip(f"{found} Then: python -m tests.activities.sandbox.escapes --backend '{variant}'")
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("attempt", [attempt.name for attempt in ATTEMPTS])
@pytest.mark.parametrize("variant", VARIANTS)
async def test_nothing_escapes(variant: str, attempt: str) -> None:
    verdict = (await verdicts_of(variant))[attempt]
    assert not verdict.faults, verdict.output
