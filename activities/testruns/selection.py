"""Which tests: names, and pytest's expressions, checked before pytest sees them."""

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
"""As pytest's ``-k`` and ``-m`` take it."""


class Selection(Value):
    """What to run of the tests below the root; by default all."""

    tests: tuple[Node, ...] = Field(default=(), max_length=500)
    keyword: Expression = ""
    """Only tests whose names match (``-k``)."""
    markers: Expression = ""
    """Only tests with such markers (``-m``)."""

    def of_module(self, module: str) -> "Selection":
        """Select the same, of one module only."""
        within = tuple(node for node in self.tests if _path(node) == module)
        whole = any(_covers(node, module) for node in self.tests)
        return self.model_copy(update={"tests": (module,) if whole or not within else within})

    def without_modules(self, modules: Collection[str]) -> "Selection | None":
        """Select the same but for what is named of these modules; None where that was all."""
        left = tuple(node for node in self.tests if _path(node) not in modules)
        return self.model_copy(update={"tests": left}) if left or not self.tests else None

    def arguments(self, root: Path) -> list[str]:
        """Write it as arguments of pytest: paths are absolute and expressions glued, so nothing is an option.

        Raises:
            BadInputError: ``request-invalid``, a test is not below the root.

        """
        expressions = [f"-k{self.keyword}"] * bool(self.keyword) + [f"-m{self.markers}"] * bool(self.markers)
        return [*expressions, *(_located(root, node) for node in self.tests or (".",))]


def _path(node: str) -> str:
    return posixpath.normpath(node.partition("::")[0])


def _covers(node: str, module: str) -> bool:
    """Tell whether all of a module is named: by itself, or by a folder above it."""
    path = _path(node)
    return "::" not in node and (path in {module, "."} or module.startswith(f"{path}/"))


def _located(root: Path, node: str) -> str:
    path, separator, inside = node.partition("::")
    try:
        found = (root / path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # a loop of links
        raise BadInputError(ErrorCode.REQUEST_INVALID, f"There is no {path!r} among the tests.") from None
    if not found.is_relative_to(root.resolve()):
        raise BadInputError(ErrorCode.REQUEST_INVALID, f"{path!r} is outside the tests' folder.")
    return f"{found}{separator}{inside}"
