"""What is asked of the task ``temperature``; runs in the workspace that the agent has left."""

import pytest
from temperature import to_celsius, to_fahrenheit


@pytest.mark.parametrize(("celsius", "fahrenheit"), [(0, 32), (100, 212), (-40, -40), (36.6, 97.88)])
def test_both_ways(celsius: float, fahrenheit: float) -> None:
    assert to_fahrenheit(celsius) == pytest.approx(fahrenheit)
    assert to_celsius(fahrenheit) == pytest.approx(celsius)
    assert isinstance(to_celsius(fahrenheit), float)


def test_below_absolute_zero() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are not asked for
        to_fahrenheit(-273.16)
    with pytest.raises(ValueError):  # noqa: PT011 - its words are not asked for
        to_celsius(-459.68)
