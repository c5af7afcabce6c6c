"""June's words are those of the field: what ``pyproject.toml`` denies is in no name, docstring, comment or page."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["june"]["words"]
WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
"""A word of prose, or a part of snake_case, camelCase and UPPER_CASE."""
FOLDERS = ("activities", "agent", "bots", "docs", "tests", "workers", "workflows")
PROGRAMS = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
OTHERS = [file for folder in FOLDERS for kind in RULES["kinds"] for file in sorted((ROOT / folder).rglob(kind))]


def denied(text: str) -> list[str]:
    """List a text's denied words, each with its line; one with an allowed phrase around it is left out."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = WORD.findall(re.sub("|".join(RULES["allowed"]), "", line))
        found += [f"{number}: {word}" for word in words if re.sub("(s|ed)$", "", word.lower()) in RULES["denied"]]
    return found


def test_no_word_is_denied() -> None:
    files = [file for file in (*PROGRAMS, *OTHERS, *ROOT.glob("*.md")) if file != Path(__file__)]
    found = [f"{file.relative_to(ROOT)}:{word}" for file in files for word in denied(file.read_text())]
    found += [f"{file.relative_to(ROOT)}: its name" for file in files if denied(str(file.relative_to(ROOT)))]
    assert not found, "\n".join(["see [tool.june.words] in pyproject.toml", *found])


def test_docstrings_say_something() -> None:
    found = []
    for file in PROGRAMS:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                words = (ast.get_docstring(node) or "two words").split()
                if len(words) == 1 or (words[0] == "Take" and len(words) <= 3):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {' '.join(words)}")
    assert not found, "\n".join(["a docstring that only fills a rule is left out", *found])


@pytest.mark.parametrize("text", ["the door", "open_door", "DOOR_SECONDS", "openDoor", "class Door:", "doors, shut"])
def test_parts_of_names_are_words(text: str) -> None:
    assert len(denied(text)) == 1


@pytest.mark.parametrize("text", ["background", "indoor", "accompany", "others", "tests/integration/test_doors.py"])
def test_words_that_hold_them_are_others(text: str) -> None:
    assert denied(text) == []
