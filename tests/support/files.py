"""What files hold, as whoever reads the disk sees it."""

import subprocess
from pathlib import Path


def holding(folder: Path, word: str) -> list[str]:
    """Name the files below a folder in which a word is, in whatever place; links are not followed.

    Another process reads them: closing a file lets go of all locks that SQLite has on it in this one.
    """
    done = subprocess.run(["grep", "-rlaF", "-e", word, "."], cwd=folder, capture_output=True, text=True, check=False)
    return sorted(line.removeprefix("./") for line in done.stdout.splitlines())
