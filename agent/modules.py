"""Python modules that a model has written in part: small ones often give the function that they mend, and no more."""

import ast
from collections.abc import Iterator

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_OfAPart = Definition | ast.Import | ast.ImportFrom


def parsed(program: str) -> ast.Module:
    """Parse a module.

    Raises:
        SyntaxError: it is none.

    """
    try:
        return ast.parse(program)
    except (ValueError, RecursionError, MemoryError):  # null bytes, nested too deeply
        raise SyntaxError("it cannot be read") from None


def defined(module: ast.Module) -> set[str]:
    """Return the names of the functions and classes at a module's top level."""
    return {node.name for node in module.body if isinstance(node, Definition)}


def holds_more(module: ast.Module) -> bool:
    """Return whether a module holds more than functions, classes and imports, such as a docstring or constants."""
    return not all(isinstance(node, _OfAPart) for node in module.body)


def merged(before: str, part: str) -> str | None:
    """Return a module in which a part's functions and classes take the place of those of the same name.

    A function with ``self`` takes the place of the one method of that name; a new function comes to the end, and an
    import to the beginning. None where the part holds anything else: it is no part then.
    """
    old, new = parsed(before), parsed(part)
    body = [node for node in new.body if not _is_docstring(node)]
    if not all(isinstance(node, _OfAPart) for node in body):
        return None
    lines, given = before.splitlines(), part.splitlines()
    imports, added = [], []
    changes: list[tuple[int, int, list[str]]] = []
    for node in body:
        text = given[_first(node) - 1 : node.end_lineno]
        if not isinstance(node, Definition):
            imports += [line for line in text if line not in lines]
            continue
        targets = list(_targets(old, node))
        if len(targets) > 1 or (not targets and _is_method(node)):
            return None
        for target in targets:
            indent = " " * target.col_offset
            changes.append((_first(target), target.end_lineno or 0, [f"{indent}{line}".rstrip() for line in text]))
        if not targets:
            added += ["", "", *text]
    for start, end, text in sorted(changes, reverse=True):
        lines[start - 1 : end] = text
    top = next((_first(node) - 1 for node in old.body if not _is_docstring(node)), len(lines))
    return "\n".join([*lines[:top], *imports, *lines[top:], *added]) + "\n"


def _targets(module: ast.Module, node: Definition) -> Iterator[Definition]:
    """Yield what a definition may be meant to replace."""
    places = [module.body]
    if _is_method(node):
        places = [outer.body for outer in module.body if isinstance(outer, ast.ClassDef)]
    for place in places:
        yield from (other for other in place if isinstance(other, Definition) and other.name == node.name)


def _is_method(node: Definition) -> bool:
    return not isinstance(node, ast.ClassDef) and [one.arg for one in node.args.args[:1]] == ["self"]


def _first(node: ast.stmt) -> int:
    """Return the number of a statement's first line, decorators and all."""
    decorators = node.decorator_list if isinstance(node, Definition) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
