"""Whose the files of benchmarks are: a platform of their own, which no age deletes, and in it a folder for each run."""

import hashlib
import re

from activities.blobs import KEPT
from activities.coding.storage import Owner

NAME_CHARS = 100
DIGEST_CHARS = 10
_NAME = re.compile(rf"[A-Za-z0-9._-]{{1,{NAME_CHARS + DIGEST_CHARS + 1}}}")
_OTHER = re.compile(r"[^A-Za-z0-9._-]")


def owner_of(run: str, task: str = "", sample: int = 0) -> Owner:
    """Return whose the files of a run are, or of one attempt in it.

    Args:
        run: its name.
        task: id of the attempt's task; empty for what belongs to the whole run.
        sample: of the attempt.

    """
    return Owner(platform=KEPT, chat=identifier(run), thread=identifier(f"{task}.{sample}") if task else None)


def identifier(name: str) -> str:
    """Return a name as blob keys take it: with a digest, where it has to be changed for that; twice is once."""
    if _NAME.fullmatch(name) and name not in {".", ".."}:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_CHARS]
    return f"{_OTHER.sub('-', name)[:NAME_CHARS]}-{digest}"
