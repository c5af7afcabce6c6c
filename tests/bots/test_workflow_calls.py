"""What people are told while nobody answers for a workflow."""

from datetime import timedelta

import pytest

from bots import workflow_calls
from tests.bots.conftest import Platform, said


@pytest.mark.slow
async def test_without_a_worker_people_are_told_to_try_again(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow_calls, "TIMEOUT", timedelta(seconds=0.2))
    # The first of them starts the conversation, or Access; nobody answers for either.
    for text in ("new", "voice on", "status", "history", "allow bob", "stats"):
        assert await platform.command(text) == said("not-just-now")
