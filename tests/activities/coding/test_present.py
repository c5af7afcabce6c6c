"""What a chat is given of a coding task: sentences, and files of plain names or one zip file."""

import io
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.blobs import BlobStore
from activities.coding.present import (
    MAX_FILE_BYTES,
    MAX_NAME_CHARS,
    MAX_SENTENCES,
    ZIP_NAME,
    PresentActivity,
    Presented,
    PresentRequest,
    plain_name,
    zipped,
)
from activities.coding.running import WorkspaceLimits
from activities.coding.storage import CodingStorage, Owner
from activities.reply import FileRequest
from activities.sandbox.archive import Archive, File, Link
from activities.values import Address

OWNER = Owner(platform="test", chat="1", thread="5")
LIMITS = WorkspaceLimits(10_000_000, 100)


@pytest.fixture
def storage() -> CodingStorage:
    return CodingStorage(BlobStore.open("memory://"))


def workspace(files: dict[str, bytes]) -> Archive:
    archive = Archive(*LIMITS)
    for path, data in files.items():
        archive.add(path, File(data))
    return archive


async def present(storage: CodingStorage, archive: Archive | None = None, **fields: object) -> Presented:
    ref = await storage.put_workspace(OWNER, archive.dump()) if archive else None
    paths = tuple(archive.paths()) if archive else ()
    known = {"owner": OWNER, "workspace": ref, "paths": paths, "changed": len(paths)}
    activity = PresentActivity(storage, LIMITS, lambda: lambda text, _likely: "de" if "ist" in text else "en")
    return await ActivityEnvironment().run(activity.present, PresentRequest.model_validate(known | fields))


async def contents(storage: CodingStorage, presented: Presented) -> dict[str, bytes]:
    return {file.name: await storage.get(file.file, 20_000_000) for file in presented.files}


async def test_few_files_come_by_themselves_and_belong_to_the_chat(storage: CodingStorage) -> None:
    archive = workspace({"sums.py": b"def add(): ...", "tests/test_sums.py": b"import sums"})
    presented = await present(storage, archive)
    assert await contents(storage, presented) == {"sums.py": b"def add(): ...", "test_sums.py": b"import sums"}
    assert {file.file.key.rpartition("/")[0] for file in presented.files} == {"test/1/5"}


async def test_what_was_not_changed_or_is_no_file_is_not_sent(storage: CodingStorage) -> None:
    archive = workspace({"sums.py": b"1", "other.py": b"2"})
    archive.add("link", Link("sums.py"))
    presented = await present(storage, archive, paths=("sums.py", "link", "gone.py"), changed=3)
    assert await contents(storage, presented) == {"sums.py": b"1"}
    assert await present(storage, archive, paths=(), changed=0) == Presented()
    assert (await present(storage, archive, paths=(), changed=1)).files == (), "one was deleted"


@pytest.mark.parametrize(
    "archive",
    [
        workspace({f"f{number}.py": b"1" for number in range(6)}),
        workspace({"large.py": b"x" * (MAX_FILE_BYTES + 1)}),
        workspace({"a/same.py": b"1", "b/same.py": b"2"}),
        workspace({"package/__init__.py": b"", "package/sums.py": b"1"}),
    ],
    ids=["many", "large", "of the same name", "empty"],
)
async def test_other_files_come_as_one(storage: CodingStorage, archive: Archive) -> None:
    presented = await present(storage, archive)
    ((name, data),) = (await contents(storage, presented)).items()
    assert name == ZIP_NAME
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.namelist() == archive.paths()
        assert all(packed.read(path) == archive.read(path) for path in archive.paths())


def test_a_zip_file_has_no_links_keeps_modes_and_is_the_same_each_time() -> None:
    archive = workspace({"sums.py": b"1"})
    archive.add("run.sh", File(b"#!/bin/sh", executable=True, mtime=1_700_000_000))
    archive.add("link", Link("sums.py"))
    data = zipped(archive)
    assert data == zipped(archive)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        modes = {info.filename: info.external_attr >> 16 for info in packed.infolist()}
    assert modes == {"run.sh": stat.S_IFREG | 0o755, "sums.py": stat.S_IFREG | 0o644}


async def test_a_workspace_that_is_gone_or_damaged(storage: CodingStorage) -> None:
    ref = await storage.put_workspace(OWNER, b"no archive" * 100)
    with pytest.raises(ApplicationError) as failed:
        await present(storage, workspace=ref, changed=1)
    assert failed.value.type == "archive-damaged"
    await storage.delete(ref)
    with pytest.raises(ApplicationError) as failed:
        await present(storage, workspace=ref, changed=1)
    assert failed.value.type == "workspace-missing"


async def test_a_summary_is_split_into_sentences_with_their_languages(storage: CodingStorage) -> None:
    summary = "Das Programm `sums.py` ist **fertig**. It adds two numbers.\n\n```python\ndef add(): ...\n```\n"
    presented = await present(storage, summary=summary, likely_languages=("de",))
    assert [(sentence.text, sentence.language) for sentence in presented.sentences] == [
        ("Das Programm sums.py ist fertig.", "de"),
        ("It adds two numbers.", "en"),
    ]
    assert len((await present(storage, summary="It is so. " * 100)).sentences) == MAX_SENTENCES


async def test_languages_are_left_open_without_a_detector(storage: CodingStorage) -> None:
    activity = PresentActivity(storage, LIMITS)
    request = PresentRequest(owner=OWNER, summary="Done.")
    presented = await ActivityEnvironment().run(activity.present, request)
    assert [sentence.language for sentence in presented.sentences] == [None]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sums.py", "sums.py"),
        ("a/b/Größe.py", "Grosse.py"),
        (".gitignore", "gitignore"),
        ("my file (1).txt", "my_file_1_.txt"),
        ("..", "file"),
        ("x" * 200 + ".py", "x" * 57 + ".py"),
        ("a\u202egnp.exe", "agnp.exe"),
    ],
)
def test_names_are_plain(path: str, name: str) -> None:
    assert plain_name(path) == name


@given(st.text(min_size=1))
def test_any_name_is_one_that_can_be_sent(path: str) -> None:
    name = plain_name(path)
    assert len(name) <= MAX_NAME_CHARS
    to, ref = Address(platform="test", chat="1", message="1"), {"mime": "", "bytes": 1, "seconds": 0, "sample_rate": 0}
    FileRequest.model_validate({"to": to, "name": name, "file": {"key": "k", **ref}})
