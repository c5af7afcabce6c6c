"""The workflows worker: it sets the namespace up, serves all workflows, and deletes old audio beside."""

import asyncio
import os
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.blobs import BlobStore
from tests.support.waiting import until
from workers.errors import UnavailableError
from workers.roles import workflows as role
from workers.roles.workflows import WORKFLOWS, build
from workers.temporal import missing_search_attributes


async def test_audio_is_kept_for_as_long_as_the_setting_says(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    monkeypatch.setenv("JUNE_RETENTION_HOURS", "2")
    spec = await build(dev_server.client)
    assert spec.workflows == WORKFLOWS
    assert [activity.__name__ for activity in spec.activities] == ["forget", "measure_turns"]
    assert await missing_search_attributes(dev_server.client) == {}
    stored = await BlobStore.open(tmp_path / "blobs").put(
        "file", "chat", b"old", mime="audio/L16", seconds=1, sample_rate=16_000, ending="pcm"
    )
    file = tmp_path / "blobs" / stored.key
    os.utime(file, (file.stat().st_mtime - 3 * 3600,) * 2)
    assert spec.background
    background = asyncio.ensure_future(spec.background())
    await until(lambda: not file.exists())
    background.cancel()


async def test_it_works_where_only_an_operator_may_add_search_attributes(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(_client: object) -> None:
        raise UnavailableError("create them by hand")

    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    monkeypatch.setattr(role, "ensure_search_attributes", refuse)
    assert (await build(dev_server.client)).workflows == WORKFLOWS
    assert "create them by hand" in caplog.text
