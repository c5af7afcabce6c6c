"""Selection of tests: names, and pytest's expressions, validated before pytest gets them."""

import posixpath
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from pydantic import Field

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.values import Value

Node = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f-@/][^\x00-\x1f]*$")]
"""``test_turns.py``, ``test_turns.py::test_one[de]``, or a folder; below the tests' root."""
Expression = Annotated[str, Field(max_length=1000, pattern=r"^([^\x00-\x1f-@][^\x00-\x1f]*)?$")]
"""Of pytest's ``-k`` and ``-m``."""


class Selection(Value):
    """Tests below the root to run; by default all."""

    tests: tuple[Node, ...] = Field(default=(), max_length=500)
    keyword: Expression = ""
    """Only tests whose names match (``-k``)."""
    markers: Expression = ""
    """Only tests with such markers (``-m``)."""

    def of_module(self, module: str) -> "Selection":
        """Return the part of the selection that lies in one module."""
        within = tuple(node for node in self.tests if _path(node) == module)
        folders = [_path(node) for node in self.tests if "::" not in node]
        whole = any(path in {module, "."} or module.startswith(f"{path}/") for path in folders)
        return self.model_copy(update={"tests": (module,) if whole or not within else within})

    def without_modules(self, modules: Collection[str]) -> "Selection | None":
        """Return the selection without what it names of these modules; None if nothing is left."""
        left = tuple(node for node in self.tests if _path(node) not in modules)
        return self.model_copy(update={"tests": left}) if left or not self.tests else None

    def arguments(self, root: Path) -> list[str]:
        """Return it as arguments of pytest: with absolute paths and ``-kEXPRESSION``, so that nothing is an option.

        Raises:
            BadInputError: ``request-invalid``, a test is not below the root.

        """
        expressions = [f"-k{self.keyword}"] * bool(self.keyword) + [f"-m{self.markers}"] * bool(self.markers)
        located = []
        for node in self.tests or (".",):
            path, separator, inside = node.partition("::")
            try:
                found = (root / path).resolve(strict=True)
            except (OSError, ValueError, RuntimeError):  # a loop of links
                raise BadInputError(ErrorCode.REQUEST_INVALID, f"There is no {path!r} among the tests.") from None
            if not found.is_relative_to(root.resolve()):
                raise BadInputError(ErrorCode.REQUEST_INVALID, f"{path!r} is outside the tests' folder.")
            located.append(f"{found}{separator}{inside}")
        return [*expressions, *located]


def _path(node: str) -> str:
    return posixpath.normpath(node.partition("::")[0])
