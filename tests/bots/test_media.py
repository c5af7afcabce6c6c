"""What may hold sound, by what is declared of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.media import may_sound


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("audio/ogg", None),
        ("audio/amr", "memo"),
        ("AUDIO/X-CAF; codecs=alac", "Memo.caf"),
        ("video/mp4", None),
        ("video/webm;codecs=vp9,opus", "blob"),
        ("application/ogg", None),
        ("application/octet-stream", None),
        ("application/octet-stream", "VOICE001"),
        ("binary/octet-stream", "call.AMR"),
        ("application/octet-stream", "memo.m4a"),
        ("application/x-whatever", "dictation.wma"),
        ("text/plain", "speech.wav"),
        (None, "IMG_0001.MOV"),
        ("", "a.3gp"),
        ('"audio/ogg"', None),
        (" Audio/OGG ; codecs=opus", "x"),
        ("application/x-ogg", None),
        ("opus", None),
        ("application/force-download", "memo.opus"),
        ("application/x-download", "memo"),
        ("*/*", "memo.oga"),
        ("application/octet-stream", "memo.ogg.bin"),
        (None, "memo.m4a.download"),
        ("", " memo.ogg. "),
    ],
)
def test_what_may_sound(media_type: str | None, name: str | None) -> None:
    assert may_sound(media_type, name)


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        (None, None),
        ("", ""),
        (None, "a.pdf"),
        (None, "README"),
        ("image/png", "a.png"),
        ("image/gif", None),
        ("text/plain; charset=utf-8", "notes.txt"),
        ("application/pdf", None),
        ("application/zip", "recordings.zip"),
        ("application/octet-stream", "setup.exe"),
        ("application/octet-stream", "report.docx"),
        ("video/mp2t", "index.ts"),
        ("application/json", "a.ogg.json"),
        ("application/octet-stream", "backup.tar.bin"),
        ("application/octet-stream", "setup.exe.download"),
    ],
)
def test_what_is_left_alone(media_type: str | None, name: str | None) -> None:
    assert not may_sound(media_type, name)


@given(st.none() | st.text(max_size=40), st.none() | st.text(max_size=40))
def test_anything_may_be_declared(media_type: str | None, name: str | None) -> None:
    assert may_sound(media_type, name) in {True, False}
