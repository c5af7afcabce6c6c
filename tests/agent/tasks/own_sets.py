"""June's own data sets, as source: ``python -m tests.agent.tasks.own_sets`` writes them to ``agent/tasks/data``.

Small and easy, so that the kinds ``repair`` and ``repository`` have something to be tried with: no measure of a model.
"""

import gzip
import io
import json
import tarfile
from importlib import resources
from pathlib import Path
from typing import Any

REPAIR: dict[str, tuple[str, tuple[str, str], list[tuple[list[Any], Any]]]] = {
    "bracket_depth": (
        """
def bracket_depth(text):
    deepest = depth = 0
    for character in text:
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        FAULT
    return deepest
""",
        ("deepest = depth", "deepest = max(deepest, depth)"),
        [(["(a)"], 1), ([""], 0), (["((a)(b))"], 2), (["[{()}] ()"], 3), (["no"], 0)],
    ),
    "first_at_least": (
        '''
def first_at_least(numbers, least):
    """Return the position of the first of sorted numbers that is at least as large; their count if none is."""
    low, high = 0, len(numbers)
    while low < high:
        middle = (low + high) // 2
        if FAULT:
            low = middle + 1
        else:
            high = middle
    return low
''',
        ("numbers[middle] <= least", "numbers[middle] < least"),
        [([[1, 3, 5], 4], 2), ([[1, 3, 5], 3], 1), ([[], 1], 0), ([[2, 2, 2], 2], 0), ([[1, 2], 9], 2)],
    ),
    "run_lengths": (
        '''
def run_lengths(text):
    """Return runs of equal characters, as pairs of the character and its count."""
    runs = []
    for character in text:
        if runs and FAULT == character:
            runs[-1] = (character, runs[-1][1] + 1)
        else:
            runs.append((character, 1))
    return runs
''',
        ("runs[0][0]", "runs[-1][0]"),
        [
            (["ab"], [["a", 1], ["b", 1]]),
            (["aabba"], [["a", 2], ["b", 2], ["a", 1]]),
            ([""], []),
            (["zzz"], [["z", 3]]),
        ],
    ),
    "windows": (
        '''
def windows(items, size):
    """Yield all runs of so many items that stand beside each other."""
    for start in range(FAULT):
        yield items[start : start + size]
''',
        ("len(items) - size", "len(items) - size + 1"),
        [([[1, 2, 3], 2], [[1, 2], [2, 3]]), ([[1], 1], [[1]]), ([[1, 2], 3], []), ([[4, 5, 6], 3], [[4, 5, 6]])],
    ),
}
"""By name: the program, what stands at its fault and what should, its cases; the first of them is shown."""

SLUGS = {
    "slugs/__init__.py": '"""Names for addresses."""\n\nfrom slugs.making import slug\n\n__all__ = ["slug"]\n',
    "slugs/making.py": '''"""Make names for addresses out of titles."""


def slug(title: str) -> str:
    """Return a title in lower case, with a dash for each blank."""
    return title.lower().replace(" ", "-")
''',
    "tests/test_slugs.py": """from slugs import slug


def test_lower_case():
    assert slug("Hello") == "hello"


def test_blanks():
    assert slug("two words") == "two-words"
""",
}
CACHE = {
    "recent/__init__.py": '"""A cache of what was used last."""\n',
    "recent/cache.py": '''"""A cache that keeps what was used last."""


class Cache:
    """Keeps so many items; the one that was not used for the longest time has to go first."""

    def __init__(self, size):
        self.size = size
        self._items = {}

    def put(self, key, value):
        self._items.pop(key, None)
        self._items[key] = value
        if len(self._items) > self.size:
            del self._items[next(iter(self._items))]

    def get(self, key, default=None):
        return self._items.get(key, default)

    def __len__(self):
        return len(self._items)
''',
    "test_cache.py": """from recent.cache import Cache


def test_the_oldest_goes():
    cache = Cache(2)
    for key in "abc":
        cache.put(key, key.upper())
    assert cache.get("a") is None
    assert cache.get("c") == "C"
""",
}
LEDGER = {
    "ledger/__init__.py": '"""What was spent."""\n',
    "ledger/entries.py": '''"""Entries of a ledger."""

from datetime import date
from typing import NamedTuple


class Entry(NamedTuple):
    day: date
    cents: int


def parse(line):
    """Read an entry: ``2024-05-01 12.50``."""
    day, amount = line.split()
    whole, _, rest = amount.partition(".")
    return Entry(date.fromisoformat(day), int(whole) * 100 + int(rest or 0))
''',
    "ledger/report.py": '''"""Sums of a ledger."""

from ledger.entries import parse


def by_month(lines):
    """Return the cents that were spent in each month, by its name: ``2024-05``."""
    sums = {}
    for entry in map(parse, lines):
        month = f"{entry.day:%Y-%m}"
        sums[month] = sums.get(month, 0) + entry.cents
    return sums
''',
    "tests/test_report.py": """from ledger.report import by_month


def test_months_are_added_up():
    assert by_month(["2024-05-01 1.50", "2024-05-02 2", "2023-05-01 4.25"]) == {"2024-05": 350, "2023-05": 425}
""",
}
REPOSITORY: list[dict[str, Any]] = [
    {
        "instance_id": "slugs-1",
        "problem_statement": "Titles with punctuation give bad addresses: `slug('What? No!')` should be `what-no`. "
        "Letters and digits stay, whatever else there is between them becomes one dash, and none stands at either end.",
        "tree": SLUGS,
        "test_files": {
            "tests/test_slugs.py": SLUGS["tests/test_slugs.py"]
            + """

def test_punctuation():
    assert slug("What? No!") == "what-no"


def test_ends():
    assert slug(" - a 1 - ") == "a-1"


def test_nothing():
    assert slug("?!") == ""
"""
        },
        "reference": {
            "slugs/making.py": SLUGS["slugs/making.py"]
            .replace('titles."""\n', 'titles."""\n\nimport re\n')
            .replace("with a dash for each blank", "with a dash between its words")
            .replace('title.lower().replace(" ", "-")', r're.sub(r"[\W_]+", "-", title.lower()).strip("-")')
        },
        "FAIL_TO_PASS": [f"tests/test_slugs.py::test_{name}" for name in ("punctuation", "ends", "nothing")],
        "PASS_TO_PASS": [f"tests/test_slugs.py::test_{name}" for name in ("lower_case", "blanks")],
    },
    {
        "instance_id": "recent-1",
        "problem_statement": "What was read lately is thrown out of the cache. `get` is a use, too: after it, another "
        "item should have to go first.",
        "tree": CACHE,
        "test_files": {
            "test_cache.py": CACHE["test_cache.py"]
            + """

def test_reading_is_a_use():
    cache = Cache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert cache.get("a") == 1
    assert cache.get("b") is None


def test_what_is_not_there_is_not_kept():
    cache = Cache(2)
    assert cache.get("a", 7) == 7
    assert len(cache) == 0
"""
        },
        "reference": {
            "recent/cache.py": CACHE["recent/cache.py"].replace(
                "        return self._items.get(key, default)\n",
                "        if key in self._items:\n            self._items[key] = self._items.pop(key)\n"
                "        return self._items.get(key, default)\n",
            )
        },
        "FAIL_TO_PASS": ["test_cache.py::test_reading_is_a_use"],
        "PASS_TO_PASS": ["test_cache.py::test_the_oldest_goes", "test_cache.py::test_what_is_not_there_is_not_kept"],
    },
    {
        "instance_id": "ledger-1",
        "problem_statement": "An amount with one digit after the point is read wrongly: `2024-05-01 12.5` is 12.50, "
        "not 12.05. Amounts that are given back, such as `-0.50`, are wrong as well.",
        "tree": LEDGER,
        "test_files": {
            "tests/test_entries.py": """import pytest

from ledger.entries import parse


AMOUNTS = [("12.5", 1250), ("12.05", 1205), ("-0.50", -50), ("-3.25", -325), ("7", 700)]


@pytest.mark.parametrize(("amount", "cents"), AMOUNTS)
def test_amounts(amount, cents):
    assert parse(f"2024-05-01 {amount}").cents == cents
"""
        },
        "reference": {
            "ledger/entries.py": LEDGER["ledger/entries.py"].replace(
                '    whole, _, rest = amount.partition(".")\n'
                "    return Entry(date.fromisoformat(day), int(whole) * 100 + int(rest or 0))\n",
                '    whole, _, rest = amount.lstrip("-").partition(".")\n'
                "    cents = int(whole) * 100 + int(rest.ljust(2, '0'))\n"
                '    return Entry(date.fromisoformat(day), -cents if amount.startswith("-") else cents)\n',
            )
        },
        "FAIL_TO_PASS": [
            f"tests/test_entries.py::test_amounts[{case}]" for case in ("12.5-1250", "-0.50--50", "-3.25--325")
        ],
        "PASS_TO_PASS": [
            "tests/test_report.py::test_months_are_added_up",
            *(f"tests/test_entries.py::test_amounts[{case}]" for case in ("12.05-1205", "7-700")),
        ],
    },
]
"""Rows of ``agent.tasks.repository``."""


def repair_archive() -> bytes:
    """Return the archive that ``agent.tasks.repair`` reads, not compressed."""
    files = {}
    for name, (program, (fault, right), cases) in REPAIR.items():
        files[f"python_programs/{name}.py"] = program.lstrip().replace("FAULT", fault)
        files[f"correct_python_programs/{name}.py"] = program.lstrip().replace("FAULT", right)
        files[f"json_testcases/{name}.json"] = "".join(json.dumps(case) + "\n" for case in cases)
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content.encode())
            archive.addfile(entry, io.BytesIO(content.encode()))
    return sink.getvalue()


def repository_lines() -> bytes:
    """Return the lines that ``agent.tasks.repository`` reads."""
    return "".join(json.dumps(row) + "\n" for row in REPOSITORY).encode()


SETS = {"june-repair.tar.gz": repair_archive, "june-repository.jsonl.gz": repository_lines}

if __name__ == "__main__":
    for file, content in SETS.items():
        (Path(str(resources.files("agent.tasks.data"))) / file).write_bytes(gzip.compress(content(), 9, mtime=0))
