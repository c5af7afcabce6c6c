"""The worker of platform ``file`` reads and writes where the settings say."""

from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.fetch import FetchRequest
from activities.values import AudioSource
from tests.support.audio_samples import encoded
from workers.roles.file import build


async def test_it_reads_from_the_folders_of_the_settings(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUNE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUNE_FILE_ROOTS", f'["{tmp_path}"]')
    spec = await build(dev_server.client)
    (tmp_path / "said.ogg").write_bytes(encoded("ogg", "libopus"))
    source = AudioSource(locator=str(tmp_path / "said.ogg"))
    fetch, *others = spec.activities
    assert [activity.__name__ for activity in others] == ["reply", "send_file"]
    fetched = await ActivityEnvironment().run(fetch, FetchRequest(platform="file", chat="a", source=source))
    assert (tmp_path / "home" / "blobs" / fetched.audio.key).exists()
