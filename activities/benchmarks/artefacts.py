"""Whose the files of benchmarks are: a platform of their own, which no age deletes, and in it a folder for each run."""

import hashlib
import re

from activities.blobs import KEPT
from activities.coding.storage import Owner

NAME_CHARS = 100
_OTHER = re.compile(r"[^A-Za-z0-9._-]")


def owner_of(run: str, task: str = "", sample: int = 0) -> Owner:
    """Return whose the files of a run are, or of one attempt in it.

    Args:
        run: its name.
        task: id of the attempt's task; empty for what belongs to the whole run.
        sample: of the attempt.

    """
    return Owner(platform=KEPT, chat=_identifier(run), thread=_identifier(f"{task}.{sample}") if task else None)


def _identifier(name: str) -> str:
    """Return a name as blob keys take it: with a digest, where it has to be changed for that."""
    plain = _OTHER.sub("-", name)[:NAME_CHARS]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:10]}"
