"""Where in a workspace a task's mistake may be: small models take the function that a test calls for the wrong one."""

import ast
import re
from pathlib import PurePosixPath

from agent.commands import is_test
from agent.files import MAX_FILE_BYTES, Files
from agent.modules import Definition, parsed

MAX_MODULES = 200
"""Modules that are looked at."""
MAX_SUSPECTS = 4
LEAST_CHARS = 3
"""Of a name that is looked for among the words of a task."""
ENDING_CHARS = 2
"""By which a word of a task may be longer than a name, such as a plural."""


def suspects(task: str, files: Files) -> list[str]:
    """Return the functions and classes that a task's words name, or whose module they name: what is called goes first.

    Args:
        task: what is asked for.
        files: the workspace.

    Returns:
        Lines such as "`median` in grades/statistics.py"; none for a task that names none.

    """
    words = set(re.findall(r"[a-z]\w+", task.lower()))
    found: dict[tuple[str, str], Definition] = {}
    modules = [path for path in files.paths() if path.endswith(".py") and not is_test(path)]
    for path in modules[:MAX_MODULES]:
        data = files.read(path)
        if len(data) > MAX_FILE_BYTES:
            continue
        try:
            module = parsed(data.decode(errors="replace"))
        except SyntaxError:
            continue
        named = _is_named(PurePosixPath(path).stem, words)
        for node in module.body:
            if isinstance(node, Definition) and (named or _is_named(node.name, words)):
                found[path, node.name] = node
    names = {name for _path, name in found}
    ordered = sorted(found, key=lambda one: len(_used(found[one]) & names - {one[1]}))
    return [f"`{name}` in {path}" for path, name in ordered[:MAX_SUSPECTS]]


def _is_named(name: str, words: set[str]) -> bool:
    """Return whether one of the words is this name, or differs from it by an ending alone."""
    plain = name.lower()
    if len(plain) < LEAST_CHARS:
        return False
    return any(
        longer.startswith(shorter) and len(shorter) >= LEAST_CHARS and len(longer) - len(shorter) <= ENDING_CHARS
        for word in words
        for shorter, longer in [sorted((plain, word), key=len)]
    )


def _used(node: Definition) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }
