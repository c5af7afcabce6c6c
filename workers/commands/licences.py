"""``june licences``: everything that is shipped, with its licence."""

import json
import sys

from workers.commands.shipped import Part

UNKNOWN = "unknown"
TOLD = {"kind", "name", "version", "licence", "home", "package"}


def print_licences(parts: list[Part], *, as_json: bool) -> bool:
    """Print a line for each part, or one JSON object; return whether every licence is known."""
    known = all(part.licence for part in parts)
    if as_json:
        rows = [part.model_dump(include=TOLD) for part in parts]
        sys.stdout.write(json.dumps({"ok": known, "parts": rows}) + "\n")
        return known
    lines = [
        (
            part.kind,
            f"{part.name} (in {part.package})" if part.package else part.name,
            part.version,
            part.licence or UNKNOWN,
            part.home,
        )
        for part in parts
    ]
    widths = [max(len(row[column]) for row in lines) for column in range(4)]
    for row in lines:
        line = "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]])
        sys.stdout.write(line.rstrip() + "\n")
    return known
