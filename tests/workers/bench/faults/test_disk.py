"""A small disk that is filled, a store that is taken away, and what a home may hold in the end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workers.bench.faults.disk import Blobs, unexpected, wrapped

FILLS = """
import json, pathlib, shutil, sys
from workers.bench.faults import disk
home = pathlib.Path(sys.argv[1])
disk.DISK_MB = 8
disk.mount(home)
disk.fill(home)
free = shutil.disk_usage(home).free
try:
    (home / "more").write_bytes(bytes(8192))
except OSError as error:
    said = error.errno
disk.empty(home)
(home / "more").write_bytes(bytes(8192))
disk.unmount(home)
print(json.dumps({"free": free, "said": said, "left": sorted(path.name for path in home.iterdir())}))
"""
DIGEST = 64 * "a"


def test_a_full_disk_takes_nothing_and_the_small_one_is_gone_in_the_end(tmp_path: Path) -> None:
    command = wrapped([sys.executable, "-c", FILLS, str(tmp_path)])
    if command is None:
        pytest.skip("this system lets no process mount a file system of its own")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"free": 0, "said": 28, "left": []}
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_while_the_store_was_away_is_put_into_it(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    (folder / "file" / "a").mkdir(parents=True)
    (folder / "file" / "a" / "before").write_text("1")
    blobs = Blobs(folder)
    blobs.take_away()
    assert not folder.exists()
    (folder / "file" / "b").mkdir(parents=True)
    (folder / "file" / "b" / "meanwhile").write_text("2")
    blobs.put_back()
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["file/a/before", "file/b/meanwhile"]
    assert [path.name for path in tmp_path.iterdir()] == ["blobs"]


def test_a_store_that_was_not_missed_is_put_back(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    folder.mkdir()
    blobs = Blobs(folder)
    blobs.take_away()
    blobs.put_back()
    assert [path.name for path in tmp_path.iterdir()] == ["blobs"]


@pytest.mark.parametrize(
    ("file", "is_expected"),
    [
        (f"blobs/file/a/{DIGEST}.pcm", True),
        (f"blobs/telegram/1/7/{DIGEST}.ogg", True),
        ("outbox/file1/m1.txt", True),
        ("logs/worker-gpu.log", True),
        ("temporal.db-wal", True),
        (f"blobs/file/a/{DIGEST}.pcm#1", False),
        ("outbox/file1/.0f.tmp", False),
        ("tmp/pip-1/a", False),
        ("state.json", False),
        ("state.draft", False),
        (".filler", False),
    ],
)
def test_files_that_should_not_be_left(tmp_path: Path, file: str, *, is_expected: bool) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch()
    assert unexpected(tmp_path) == ([] if is_expected else [file])
