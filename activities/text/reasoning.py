"""Keep a model's thoughts apart from its answer."""

import re
from typing import NamedTuple

_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_BEGINNING_OF_TAG = re.compile(r"<(?:/?(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?)?$", re.IGNORECASE)


class Shown(NamedTuple):
    """What a piece of content adds to the answer."""

    text: str
    replaces: bool = False
    """All that was shown before turned out to be thoughts; the answer begins anew with this text."""


class Thoughts:
    """Removes ``<think>...</think>`` from content that arrives in pieces, wherever the tags are cut.

    Templates such as Qwen3-Thinking's open the tag themselves, so that an answer has only the closing one: then
    all before it was thoughts. An unclosed ``<think>`` hides the rest. Text about these tags is lost; rather
    that than thoughts spoken.
    """

    def __init__(self, *, first: bool = False) -> None:
        """Begin; with ``first`` the content begins within thoughts, though no tag says so."""
        self.chars = 0
        """Characters of thoughts so far, tags not counted."""
        self._thinking = first
        self._held = ""
        self._shown_chars = 0

    def feed(self, content: str) -> Shown:
        """Add the next piece of content; return what of it is for the user."""
        text, self._held = self._held + content, ""
        beginning = _BEGINNING_OF_TAG.search(text)
        if beginning:
            text, self._held = text[: beginning.start()], beginning[0]
        return self._take(text)

    def finish(self) -> Shown:
        """Return what was held back because it could have become a tag."""
        text, self._held = self._held, ""
        return self._take(text)

    def _take(self, text: str) -> Shown:
        shown, replaces, position = "", False, 0
        for tag in _TAG.finditer(text):
            shown += self._keep(text[position : tag.start()])
            position = tag.end()
            if tag[1] and not self._thinking:
                self.chars += self._shown_chars
                shown, replaces, self._shown_chars = "", True, 0
            self._thinking = not tag[1]
        return Shown(shown + self._keep(text[position:]), replaces)

    def _keep(self, text: str) -> str:
        """Count a text without tags, and return it unless it is thoughts."""
        if self._thinking:
            self.chars += len(text)
            return ""
        self._shown_chars += len(text)
        return text
