"""Programs with a fault to be repaired, as QuixBugs has them: the faulty one, the right one, cases as JSON lines."""

import json
from collections.abc import Iterator
from typing import Any

from agent.tasks.archives import files_of
from agent.tasks.task import BenchmarkTask, Cases

FAULTY, RIGHT, CASES = "python_programs/", "correct_python_programs/", "json_testcases/"
TELL = "`{path}` has a fault: find and repair it. The function `{name}` keeps its name and arguments. {example}"
ASK = """{text}

```python
{code}
```

Answer with the whole repaired file in one Python code block.
"""
SHOWN_CHARS = 400
"""Of the example; a longer one tells nobody anything."""


def read(data: bytes) -> Iterator[BenchmarkTask]:
    """Read tasks from a tar archive in QuixBugs' layout; programs without cases are left out.

    The function to be called has the name of its file. The first case is shown, the others are hidden.

    Raises:
        ValueError: it is no such archive.

    """
    files = _below(files_of(data))
    for path in sorted(files):
        if not path.startswith(CASES) or not path.endswith(".json"):
            continue
        name = path.removeprefix(CASES).removesuffix(".json")
        faulty, right = files.get(f"{FAULTY}{name}.py"), files.get(f"{RIGHT}{name}.py")
        if faulty is None or right is None:
            raise ValueError(f"there are cases for {name}, but not both programs")
        yield _task(name, faulty, right, files[path])


def _below(files: dict[str, str]) -> dict[str, str]:
    """Return files by their paths from the three folders on, wherever in the archive these are."""
    found = {}
    for path, content in files.items():
        for folder in (RIGHT, FAULTY, CASES):
            before, there, name = path.partition(folder)
            if there and (not before or before.endswith("/")) and "/" not in name:
                found[folder + name] = content
    return found


def _task(name: str, faulty: str, right: str, lines: str) -> BenchmarkTask:
    pairs: list[Any] = [json.loads(line) for line in lines.splitlines() if line.strip()]
    if not pairs or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError(f"the cases of {name} are no pairs of arguments and results")
    cases = tuple(arguments if isinstance(arguments, list) else [arguments] for arguments, _ in pairs)
    path = f"{name}.py"
    called = f"{name}({', '.join(map(repr, cases[0]))})"
    example = f"For example, `{called}` is to give `{pairs[0][1]!r}`."
    text = TELL.format(path=path, name=name, example=example if len(example) <= SHOWN_CHARS else "").strip()
    return BenchmarkTask(
        id=name,
        text=text,
        files={path: faulty},
        prompt=ASK.format(text=text, code=faulty.strip()),
        answer_path=path,
        name=name,
        reference={path: right},
        scoring=Cases(
            module=name, function=name, cases=cases, expected=tuple(wanted for _, wanted in pairs), loose=True
        ),
    )
