"""Which files of a message may hold sound: the rest june leaves alone, and of these the bytes decide when fetched."""

from pathlib import PurePath

SOUNDING = frozenset({"audio", "video"})
"""Main media types; a video's sound is what counts."""
UNKNOWING = frozenset(
    {
        *("application/octet-stream", "binary/octet-stream", "application/binary", "application/x-binary"),
        *("application/download", "application/x-download", "application/force-download", "application/unknown"),
        *("unknown/unknown", "content/unknown", "*/*"),
    }
)
"""What is declared of a file that nobody looked into."""
WRAPPING = frozenset(
    {
        *("application/ogg", "application/x-ogg", "application/opus", "application/mp4", "application/x-matroska"),
        *("application/vnd.ms-asf", "application/mp3", "application/x-mpeg", "x-audio/x-wav", "ogg", "opus", "mp3"),
    }
)
"""Containers of sound that were declared before they had a type below audio or video, or are declared wrongly."""
ENDINGS = frozenset(
    {
        *(".ogg", ".oga", ".opus", ".mp3", ".m4a", ".m4b", ".aac", ".wav", ".flac", ".amr", ".awb", ".aif", ".aiff"),
        *(".aifc", ".caf", ".wma", ".au", ".snd", ".spx", ".mka", ".mp2", ".w64", ".rf64"),
        *(".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".3gp", ".3gpp", ".3g2", ".ogv", ".wmv", ".asf"),
        *(".mpg", ".mpeg", ".mts", ".m2ts"),
    }
)
"""Of recordings and videos, in lower case."""
NONDESCRIPT = frozenset({"", ".bin", ".dat", ".tmp", ".download", ".part", ".crdownload"})
"""Endings that say nothing of a file; one before them may."""
TYPESCRIPT = ".ts"
"""Source code, which clients take for a transport stream and declare as a video."""


def may_sound(media_type: str | None, name: str | None) -> bool:
    """Return whether a file may hold sound, by what is declared of it.

    A type that names something else (a picture, a text, an archive) is believed, unless the name says sound, as clients
    guess types. Bytes of no declared kind are worth a look, unless the name says something else.
    """
    declared = (media_type or "").partition(";")[0].strip(" \t\"'").lower()
    ending = _ending(name or "")
    if ending == TYPESCRIPT:
        return False
    if declared.partition("/")[0] in SOUNDING or declared in WRAPPING or ending in ENDINGS:
        return True
    return declared in UNKNOWING and ending in NONDESCRIPT


def _ending(name: str) -> str:
    """Return a name's ending in lower case; of several, the last that says something."""
    suffixes = [suffix.lower() for suffix in PurePath(name.strip(" .\"'")).suffixes]
    return next(
        (suffix for suffix in reversed(suffixes) if suffix not in NONDESCRIPT), suffixes[-1] if suffixes else ""
    )
