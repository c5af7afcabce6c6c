"""Recordings: those that are shipped, and people's own."""

import hashlib
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.licenses import canonicalize_license_expression

from activities.audio.codec import decode, encode_ogg_opus
from activities.audio.pcm import SAMPLE_RATE
from activities.speech import clips
from activities.speech.clips import DATA, SHIPPED, ClipsError, read_set
from activities.synthesize import MAX_CHARS

PINNED = "50c58e864b30b7b142d3c41010ea32768b761587eabef10d2bc8252355e64f1a"
"""Of the list, and so of the whole set."""
SOUND = encode_ogg_opus((1000 * np.sin(np.arange(SAMPLE_RATE) / 6)).astype("<i2").tobytes(), SAMPLE_RATE, 32_000)


def test_what_is_shipped_is_what_was_meant() -> None:
    found = read_set(SHIPPED)
    assert found.sha256 == PINNED
    assert {clip.language for clip in found.clips} >= {"en", "de", "es", "fr", "it", "ru"}
    assert len(found.tasks()) == 3 * len(found.clips) == 120
    assert sum(file.stat().st_size for file in DATA.iterdir() if file.is_file()) < 3_000_000


@pytest.mark.parametrize("clip", read_set(SHIPPED).clips, ids=lambda clip: clip.id)
def test_each_recording_is_whole_and_may_be_shipped(clip: clips.Clip) -> None:
    found = read_set(SHIPPED)
    assert hashlib.sha256(found.content(clip)).hexdigest() == clip.sha256
    assert clip.id.startswith(clip.language)
    assert canonicalize_license_expression(clip.licence) == clip.licence
    (row,) = re.findall(rf"^\| {re.escape(clip.archive)} \|.*$", (DATA / "LICENCES.md").read_text(), re.MULTILINE)
    assert clip.licence in row or clip.licence.replace("-3.0", " 3.0").replace("CC-", "CC ") in row
    assert clip.synthetic is (clip.archive == "june-espeak.zip")
    assert 1.5 < len(found.sound(clip.id, decode)) / SAMPLE_RATE < 30
    assert len(clip.text) <= MAX_CHARS


def test_all_but_two_recordings_are_as_long_as_voice_notes() -> None:
    found = read_set(SHIPPED)
    long = {clip.id for clip in found.clips if len(found.sound(clip.id, decode)) > 15 * SAMPLE_RATE}
    assert len(long) == 2
    languages = dict.fromkeys(clip.language for clip in found.clips)
    notes = [note.id for language in languages for note in found.voice_notes(language)]
    assert notes == [clip.id for clip in found.clips if clip.id not in long], "told by their texts"
    with pytest.raises(ClipsError, match="'xx'"):
        found.voice_notes("xx")


def test_nothing_lies_beside_the_list_that_it_does_not_name() -> None:
    for archive in DATA.glob("*.zip"):
        named = {f"{clip.id}.ogg" for clip in read_set(SHIPPED).clips if clip.archive == archive.name}
        with zipfile.ZipFile(archive) as opened:
            assert set(opened.namelist()) == named


def test_noise_is_the_same_each_time_and_another_for_each_recording() -> None:
    found = read_set(SHIPPED)
    clean, noisy = found.sound("de-01", decode), found.sound("de-01@5dB", decode)
    assert clean.dtype == noisy.dtype == np.float32
    assert len(clean) == len(noisy)
    assert np.array_equal(noisy, found.sound("de-01@5dB", decode))
    assert np.abs(noisy - clean).mean() > np.abs(found.sound("de-01@10dB", decode) - clean).mean() > 0


def entry(sha256: str = hashlib.sha256(SOUND).hexdigest(), **changes: str) -> str:
    """Write an entry of a list."""
    fields = {"id": "mine", "language": "en", "text": "Hello", "sha256": sha256, "licence": "MIT", "source": "me"}
    return "[[clips]]\n" + "".join(f'{name} = "{value}"\n' for name, value in (fields | changes).items())


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.ogg").write_bytes(SOUND)
    (tmp_path / "clips.toml").write_text(entry())
    found = read_set(str(tmp_path))
    assert found.tasks() == ("mine", "mine@10dB", "mine@5dB")
    assert len(found.sound("mine", decode)) == pytest.approx(SAMPLE_RATE, abs=SAMPLE_RATE / 50)
    (tmp_path / "clips.toml").write_text(entry(text="Bye"))
    assert read_set(str(tmp_path)).clip("mine@5dB").text == "Bye", "what is on disk counts"
    assert read_set(str(tmp_path)).sha256 != found.sha256


@pytest.mark.parametrize("task", ["", "other", "mine@", "mine@10", "mine@10dB@5dB", "../mine"])
def test_what_is_no_task(tmp_path: Path, task: str) -> None:
    (tmp_path / "clips.toml").write_text(entry())
    with pytest.raises(ClipsError, match="is no recording"):
        read_set(str(tmp_path)).sound(task, decode)


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (entry(sha256="0" * 64), "is another than the list says"),
        (entry(file="other.ogg"), "cannot be read"),
        (entry(archive="other.zip"), "cannot be read"),
        (entry(archive="mine.ogg"), "cannot be read"),
        (entry(hashlib.sha256(b"text").hexdigest(), file="text.ogg"), "no accepted audio format"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, listed: str, reason: str) -> None:
    (tmp_path / "mine.ogg").write_bytes(SOUND)
    (tmp_path / "text.ogg").write_bytes(b"text")
    (tmp_path / "clips.toml").write_text(listed)
    with pytest.raises(ClipsError, match=reason):
        read_set(str(tmp_path)).sound("mine", decode)


@pytest.mark.parametrize(
    "listed", ["", "clips = 1", "[[clips]]\nid = 1", entry(sha256="short"), entry(other="1"), "\xff"]
)
def test_a_list_of_another_form_is_refused(tmp_path: Path, listed: str) -> None:
    (tmp_path / "clips.toml").write_bytes(listed.encode("latin-1"))
    with pytest.raises(ClipsError, match="no list of recordings"):
        read_set(str(tmp_path))


def test_a_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClipsError, match="neither june-speech nor a folder"):
        read_set(str(tmp_path / "nothing"))
