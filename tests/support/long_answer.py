"""An answer with everything that models write, longer than one message of any platform."""

import re

CODE = '''def hydration(water: float, flour: float) -> float:
    """Water by weight of flour, in per cent."""
    if flour <= 0:
        raise ValueError("no flour")
    return 100 * water / flour


def schedule(start: int, steps: dict[str, float]) -> list[str]:
    """Say when each step begins, in hours after the start."""
    told, at = [], float(start)
    for name, hours in steps.items():
        told.append(f"{at:05.1f} h  {name}")
        at += hours
    return told


print(hydration(750, 1000), schedule(8, {"rise": 4, "shape": 0.5, "rest": 12, "bake": 0.75}))'''

ANSWER = f"""## Sourdough in short

A loaf needs **time** more than work, and *a warm corner*. The plan:

1. Feed the starter the evening before
2. Mix, then wait
   - stretch and fold **four times**
   - half an hour apart
3. Shape and bake at ~~230~~ **250 °C**

| Step | Time | Temperature |
|:-----|-----:|:-----------:|
| Rise | 4 h | 25 °C |
| Rest | 12 h | 5 °C |
| Bake | 45 min | 250 °C |

> A wet dough is a kind dough.

The ratio as code, and more on [the baker's page](https://example.org/bread):

```python
{CODE}
```

"""
PARAGRAPH = (
    "Day {day}. The dough is **a little livelier** today: it smells of yoghurt and apples, and doubles in {hours} "
    "hours at room temperature. Keep `{grams} g` of it for the next loaf, and give it as much flour and water."
)
ANSWER += "\n\n".join(PARAGRAPH.format(day=day, hours=10 - day % 5, grams=40 + day) for day in range(1, 22))
"""About 5,300 characters of Markdown."""
READ = re.sub(r"\]\([^)]*\)|```python|[*~|`>#]|^\|[:|-]+\|$", " ", ANSWER, flags=re.MULTILINE)
"""The same without its marks: what can be read of it wherever it is shown."""
QUESTION = "How do I bake sourdough bread, and how much water does it take?"


def words(text: str) -> list[str]:
    """Return what can be read of a text, in order: letters and digits, without any marks."""
    return "".join(letter if letter.isalnum() else " " for letter in text).split()
