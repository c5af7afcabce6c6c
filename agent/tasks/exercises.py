"""Exercises in Python, as Exercism and Aider's polyglot benchmark have them: stub, instructions, hidden unit tests."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import BaseModel

from agent.tasks.archives import files_of
from agent.tasks.task import BenchmarkTask, Files, Scoring, TestRun, UnitTests

INSTRUCTIONS = ("introduction.md", "instructions.md", "instructions.append.md")
ASK = """{text}

This is `{path}`:

```python
{stub}
```

Answer with the whole of `{path}`, its path before it, in one Python code block. Use the standard library alone.
"""
PATCHING = "mock"
"""Tests that import a module of this name patch the submission from inside: they cannot run in another process."""


class _Files(BaseModel):
    solution: list[str]
    test: list[str]
    example: list[str]


class _Config(BaseModel):
    """An exercise's ``.meta/config.json``."""

    files: _Files


def read(data: bytes) -> Iterator[BenchmarkTask]:
    """Read tasks from a tar archive with a folder for each exercise.

    Raises:
        ValueError: it is none, or an exercise lacks a file.

    """
    exercises: dict[str, Files] = {}
    for path, content in files_of(data).items():
        name, _, rest = path.partition("/")
        exercises.setdefault(name, {})[rest] = content
    for name, files in sorted(exercises.items()):
        try:
            yield _task(name, files)
        except KeyError as error:
            raise ValueError(f"the exercise {name} has no file {error}") from error


def _task(name: str, files: Files) -> BenchmarkTask:
    config = _Config.model_validate_json(files[".meta/config.json"]).files
    (solution,), (example,) = config.solution, config.example
    told = "\n\n".join(files[f".docs/{file}"].strip() for file in INSTRUCTIONS if f".docs/{file}" in files)
    text = f"{told}\n\nWrite `{solution}`: it holds a stub. Hidden tests use the names that are there."
    return BenchmarkTask(
        id=name,
        text=text,
        files={solution: files[solution]},
        prompt=ASK.format(text=told, path=solution, stub=files[solution].strip()),
        answer_path=solution,
        reference={solution: files[example]},
        scoring=_scoring(files, solution, config.test),
    )


def _scoring(files: Files, solution: str, tests: list[str]) -> Scoring:
    # Beside the tests lie modules that they alone use, which a submission gets no hold of.
    others = [path for path in files if "/" not in path and path.endswith(".py") and path not in (solution, *tests)]
    hidden = {path: files[path] for path in (*others, *tests)}
    parsed = {path: ast.parse(source) for path, source in hidden.items()}
    if any(PATCHING in _imported(tree) for tree in parsed.values()):
        ids = tuple(f"{path}::{test}" for path in tests for test in _tests(parsed[path]))
        return TestRun(files=hidden, fail_to_pass=ids)
    modules = tuple((PurePosixPath(path).stem, source) for path, source in hidden.items())
    return UnitTests(modules=(PurePosixPath(solution).stem,), tests=modules)


def _imported(tree: ast.Module) -> set[str]:
    """Return the last parts of the names of modules, and the names, that are imported."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.name.rpartition(".")[2] for alias in node.names}
            names.add((getattr(node, "module", None) or "").rpartition(".")[2])
    return names


def _tests(tree: ast.Module) -> Iterator[str]:
    """List the tests of a file, as pytest names them."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name.startswith("test"):
                    yield f"{node.name}::{part.name}"
