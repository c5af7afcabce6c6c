"""Print a report: ``python3 -m grades.report FILE``."""

import sys
from pathlib import Path

from grades.parsing import parse
from grades.statistics import mean, median, spread


def report(text: str) -> list[str]:
    """Return the lines of a report, a pupil each, in alphabetical order."""
    return [
        f"{name}: mean {mean(values):.2f}, median {median(values):.1f}, spread {spread(values):.1f}"
        for name, values in sorted(parse(text).items())
        if values
    ]


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report(Path(sys.argv[1]).read_text()))
