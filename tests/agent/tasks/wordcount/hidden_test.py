"""What is asked of the task ``wordcount``; runs in the workspace that the agent has left."""

import subprocess
import sys
from pathlib import Path

from wordcount import count_words, most_frequent

TEXT = "The cat, the dog; the END. A cat? 42 dogs and a bird"


def test_words_are_counted() -> None:
    assert dict(count_words("One two, two. THREE three Three! 3")) == {"one": 1, "two": 2, "three": 3}
    assert dict(count_words("")) == {}


def test_the_most_frequent_come_first() -> None:
    assert [tuple(pair) for pair in most_frequent(TEXT, 3)] == [("the", 3), ("a", 2), ("cat", 2)]
    assert [tuple(pair) for pair in most_frequent("b a", 5)] == [("a", 1), ("b", 1)]


def test_the_program_prints_five_lines(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text(TEXT)
    done = subprocess.run([sys.executable, "wordcount.py", file], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["the 3", "a 2", "cat 2", "and 1", "bird 1"]


def test_tests_are_there() -> None:
    text = Path("test_wordcount.py").read_text()
    assert "count_words(" in text
    assert "most_frequent(" in text
