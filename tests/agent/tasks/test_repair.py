"""Programs to be repaired."""

import io
import tarfile

import pytest

from agent.tasks.data_sets import find, load
from agent.tasks.repair import read
from agent.tasks.task import Cases
from tests.agent.tasks.own_sets import REPAIR


def archive(**files: str) -> bytes:
    """Pack files by their paths, in which two underscores stand for a slash."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"QuixBugs-master/{name.replace('__', '/')}")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content.encode()))
    return sink.getvalue()


def test_the_layout_is_that_of_quixbugs() -> None:
    (task,) = read(
        archive(
            **{
                "python_programs__gcd.py": "def gcd(a, b): return a",
                "correct_python_programs__gcd.py": "def gcd(a, b): return b",
                "json_testcases__gcd.json": "[[17, 0], 17]\n[[13, 13], 13]\n[5, 1]\n",
                "python_programs__graph.py": "has no cases",
                "java_programs__GCD.java": "",
            }
        )
    )
    assert task.files == {"gcd.py": "def gcd(a, b): return a"}
    assert task.reference == {"gcd.py": "def gcd(a, b): return b"}
    assert task.text.endswith("For example, `gcd(17, 0)` is to give `17`.")
    assert task.scoring == Cases(
        module="gcd", function="gcd", cases=([17, 0], [13, 13], [5]), expected=(17, 13, 1), loose=True
    )


def test_the_shipped_set() -> None:
    assert {task.id for task in load(find("june-repair"))} == set(REPAIR)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [("[1, 2, 3]", "are no pairs"), ("", "are no pairs"), ("{}", "are no pairs"), ("[1", "Expecting")],
)
def test_cases_that_are_none(lines: str, sentence: str) -> None:
    files = {"python_programs__a.py": "", "correct_python_programs__a.py": "", "json_testcases__a.json": lines}
    with pytest.raises(ValueError, match=sentence):
        list(read(archive(**files)))


def test_a_program_that_is_missing() -> None:
    with pytest.raises(ValueError, match="not both programs"):
        list(read(archive(**{"python_programs__a.py": "", "json_testcases__a.json": "[1, 2]"})))
