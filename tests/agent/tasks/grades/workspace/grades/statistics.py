"""Figures of a list of grades."""


def mean(values: list[float]) -> float:
    """Return the arithmetic mean."""
    return sum(values) / len(values)


def median(values: list[float]) -> float:
    """Return the value in the middle; of an even number of values the mean of the two in the middle."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def spread(values: list[float]) -> float:
    """Return the distance between the best and the worst."""
    return max(values) - min(values)
