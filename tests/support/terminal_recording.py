"""A recording of a terminal as an SVG that moves: it needs no script, and shows its end where nothing moves."""

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME as THEME
from rich.text import Text

ROW_PIXELS, CELL_PIXELS, MARGIN = 18, 8.4, 14
NEWLINE = "\n"
PAUSE_SECONDS = 6.0
"""For which the end stays, before it begins again."""
_TOKEN = re.compile(r"\x1b\[(?P<values>[\d;?]*)(?P<command>[A-Za-z])|(?P<sign>[\r\n])|(?P<text>[^\x1b\r\n]+)")


class Shown(NamedTuple):
    """A row of the screen, with the colours that it has by ANSI's codes."""

    row: int
    content: str
    begin: float
    end: float | None
    """None: to the end."""


class Screen:
    """What a terminal shows. Of its control sequences it knows those that rich uses."""

    def __init__(self) -> None:
        """Begin with an empty screen, which grows downwards."""
        self._rows: list[list[tuple[str, str]]] = [[]]
        """Characters, each after its colours."""
        self._row = self._column = 0
        self._colours = ""

    def feed(self, written: str) -> None:
        """Take what a program has written.

        Raises:
            ValueError: a control sequence that is not known.

        """
        for token in _TOKEN.finditer(written):
            if token["text"]:
                self._write(token["text"])
            elif token["sign"] == "\r":
                self._column = 0
            elif token["sign"] == "\n":
                self._row += 1
                while len(self._rows) <= self._row:
                    self._rows.append([])
            elif token["command"] == "m":
                self._colours = "" if token["values"] in {"", "0"} else f"{self._colours}{token[0]}"
            elif token["command"] == "A":
                self._row = max(0, self._row - int(token["values"] or 1))
            elif token["command"] == "K":
                self._rows[self._row] = []
            elif token["command"] not in "hl":  # the cursor, shown and hidden
                raise ValueError(token[0])

    def rows(self, most: int) -> list[str]:
        """Return the last rows, without those that are empty below all others."""
        rows = ["".join(f"{colours}{sign}\x1b[0m" if colours else sign for colours, sign in row) for row in self._rows]
        while rows and not rows[-1].strip():
            rows.pop()
        return rows[-most:]

    def _write(self, text: str) -> None:
        row = self._rows[self._row]
        row += [("", " ")] * (self._column - len(row))
        row[self._column : self._column + len(text)] = [(self._colours, sign) for sign in text]
        self._column += len(text)


def record(written: Sequence[tuple[float, bytes]], rows: int, every_seconds: float) -> tuple[list[Shown], float]:
    """Look at the screen at most so often; return its rows, each from when to when, and the whole time."""
    screen, known, shown, last = Screen(), [""] * rows, list[Shown](), -every_seconds
    since = [0.0] * rows
    for number, (seconds, data) in enumerate(written):
        screen.feed(data.decode(errors="replace"))
        if seconds < last + every_seconds and number < len(written) - 1:
            continue
        last, now = seconds, screen.rows(rows)
        for row, content in enumerate(now + [""] * (rows - len(now))):
            if content != known[row]:
                if known[row]:
                    shown.append(Shown(row, known[row], since[row], seconds))
                known[row], since[row] = content, seconds
    shown += [Shown(row, content, since[row], None) for row, content in enumerate(known) if content]
    return shown, last


def svg(shown: Sequence[Shown], seconds: float, *, columns: int, speed: float) -> str:
    """Draw a recording, ``speed`` times as fast as it was."""
    rows = max(one.row for one in shown) + 1
    width, height = columns * CELL_PIXELS + 2 * MARGIN, rows * ROW_PIXELS + 2 * MARGIN
    length = seconds / speed + PAUSE_SECONDS
    moves, lines = [], []
    for number, one in enumerate(shown):
        begin, end = 100 * one.begin / speed / length, 100 * (one.end or seconds) / speed / length
        hidden = f"{end:.2f}%,100%{{visibility:hidden}}" if one.end else ""
        moves.append(
            f"@keyframes m{number}{{0%{{visibility:hidden}}{begin:.2f}%{{visibility:visible}}{hidden}}}"
            f"#r{number}{{animation:m{number} {length:.1f}s step-end infinite}}"
        )
        visibility = ' visibility="hidden"' if one.end else ""
        spans = "".join(_spans(Text.from_ansi(one.content)))
        y = MARGIN + (one.row + 0.75) * ROW_PIXELS
        lines.append(f'<text id="r{number}" x="{MARGIN}" y="{y:.0f}"{visibility}>{spans}</text>')
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}">
<style>
text {{ font: 14px ui-monospace, Menlo, Consolas, monospace; white-space: pre; fill: {THEME.foreground_color.hex} }}
{NEWLINE.join(moves)}
@media (prefers-reduced-motion: reduce) {{ text {{ animation: none !important }} }}
</style>
<rect width="100%" height="100%" rx="8" fill="{THEME.background_color.hex}"/>
{NEWLINE.join(lines)}
</svg>
"""


def _spans(text: Text) -> Iterator[str]:
    """Yield a row's runs of one style, each with its place and width, so that columns stay where they are."""
    cells = 0
    for part in text.render(Console(color_system="truecolor"), end=""):
        style = part.style or Style()
        look = f' fill="{style.color.get_truecolor(THEME).hex}"' if style.color else ""
        look += ' font-weight="bold"' * bool(style.bold) + ' opacity="0.6"' * bool(style.dim)
        x, length = MARGIN + cells * CELL_PIXELS, part.cell_length * CELL_PIXELS
        yield f'<tspan x="{x:.1f}" textLength="{length:.1f}"{look}>{html.escape(part.text)}</tspan>'
        cells += part.cell_length
