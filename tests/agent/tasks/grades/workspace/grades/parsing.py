"""Read grades from text."""


def parse(text: str) -> dict[str, list[float]]:
    """Return the grades of each pupil; a line is ``name: grade, grade...``, empty, or a # comment."""
    grades: dict[str, list[float]] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, values = line.partition(":")
        grades.setdefault(name.strip(), []).extend(float(value) for value in values.split(",") if value.strip())
    return grades
