"""What june talk makes of its arguments; whole turns are in tests/e2e."""

from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.blobs import BlobStore
from workers.errors import JuneError
from workers.local.session import QUESTION, Session, default_chat, numbered

LIMIT = 100


@pytest.fixture
def session(dev_server: WorkflowEnvironment, tmp_path: Path) -> Session:
    return Session(dev_server.client, "http://localhost:1", BlobStore.open(str(tmp_path)), LIMIT)


def test_replies_to_several_files_are_numbered() -> None:
    assert numbered(Path("out/reply.ogg"), 1, 1) == Path("out/reply.ogg")
    assert numbered(Path("out/reply.ogg"), 2, 3) == Path("out/reply-2.ogg")


def test_a_conversation_without_a_name_is_a_new_one() -> None:
    assert default_chat() != default_chat()


def test_links_name_the_workflow_in_one_part_of_the_path(session: Session) -> None:
    assert session.link("voice/file/a/1") == f"{session.ui_url}/namespaces/default/workflows/voice%2Ffile%2Fa%2F1"
    assert replace(session, ui_url=None).link("voice/file/a/1") is None


async def test_a_file_is_stored_under_its_chat(session: Session, tmp_path: Path) -> None:
    (tmp_path / "said.ogg").write_bytes(b"sound")
    source = await session.upload(tmp_path / "said.ogg", "garden")
    assert source.locator.startswith("blob:file/garden/")
    assert await session.blobs.get(source.locator.removeprefix("blob:")) == b"sound"


async def test_a_file_that_is_too_large_is_not_read(session: Session) -> None:
    source = await session.upload(QUESTION, "garden")
    assert source.claimed_bytes == QUESTION.stat().st_size > LIMIT
    assert not source.locator.startswith("blob:")


async def test_a_file_that_is_missing_is_one_sentence(session: Session, tmp_path: Path) -> None:
    with pytest.raises(JuneError, match=r"cannot be read: No such file"):
        await session.upload(tmp_path / "nothing.ogg", "garden")
