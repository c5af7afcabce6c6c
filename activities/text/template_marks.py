"""Keep out of an answer what belongs to a model's chat template: thoughts, marks of turns and channels, tool calls.

A server that knows the model's template keeps them apart; one that does not, or that was started without the right
parser, sends them as text. The marks are those of ChatML (Qwen), Harmony (gpt-oss), Llama 3, Gemma, Mistral, DeepSeek,
Kimi, Cohere, Granite, GLM and Phi, as their published templates write them.
"""

# ruff: noqa: RUF001 - DeepSeek's marks are written with full-width bars

import re
from enum import Enum, auto
from typing import NamedTuple

_MARK = re.compile(
    r"<(?P<left>[|｜])?(?P<close>/)?(?P<name>(?:[a-z]{1,10}[|｜])?[a-z_:▁]{1,40}(?:=[^<>\s]{1,60})?)(?P<right>[|｜])?>"
    r"|\[(?P<bracket_close>/)?(?P<bracket>THINK|INST|TOOL_CALLS)\]"
    r"|◁(?P<kimi_close>/)?think▷"
    r"|(?P<stripped>assistantfinal)",
    re.IGNORECASE,
)
_BEGINNING = re.compile(
    r"(?:<[|｜]?/?(?:[a-z]{1,10}[|｜])?[a-z_:▁]{0,40}(?:=[^<>\s]{0,60})?[|｜]?|\[/?[a-z_]{0,10}|◁/?[a-z]{0,5})\Z",
    re.IGNORECASE,
)
"""What may become a mark with the next piece; an ``=`` follows ``<function``."""
_STRIPPED_BEGINNING = re.compile(r"a(?:s(?:s(?:i(?:s(?:t(?:a(?:n(?:t(?:f(?:i(?:n(?:a)?)?)?)?)?)?)?)?)?)?)?)?\Z")
_STRIPPED_CHANNEL = re.compile(r"\s*analysis(?=[^\sa-z])")
"""Harmony whose marks the server has stripped: ``analysisThe user greets.assistantfinalHello.``"""
_LONGEST_START = 24
_THOUGHTS = re.compile(r"(?:[a-z]+:)?think(?:ing)?|thought|reasoning")
_NAMESPACE = re.compile(r"\A[a-z]{1,10}[|｜:](?=(?:think|tool|function))")
_TOOL = re.compile(
    r"(?:(?:longcat|start)_)?(?:tool|function)_calls?|tool_calls?|function_calls?|function(?:=.*)?|tool_code"
)
_TOOL_MARK = re.compile(r"python_(?:tag|start)|start_action|action_start|tool_(?:calls?|sep|outputs?|response).*")
_END = re.compile(
    r"im_end|endof(?:text|turn)|end_of_(?:text|turn|sentence|document)(?:_token)?|eo[tms](?:_id|_token)?|return|call"
    r"|user(?:_token)?|human|observation|system(?:_token)?"
)
_ROLE = re.compile(r"\s*(?P<own>assistant|model|bot)\b|\s*(?:user|human|system|developer|tool|ipython|environment)\b")
_CHANNEL = re.compile(r"\s*(?P<own>final|response)\b|\s*(?:analysis|commentary|thought|think|thinking)\b")
_MAX_HEADER_CHARS = 200
_FENCE = re.compile(r"[ \t>]*(?:```|~~~)")
_QUOTES = "`\"'“‘«"


class Shown(NamedTuple):
    """What a piece of content adds to the answer."""

    text: str
    replaces: bool = False
    """All that was shown before turned out to be thoughts; the answer begins anew with this text."""
    thoughts: str = ""
    """What of the piece was thoughts, marks not counted."""


class _Mode(Enum):
    ANSWER = auto()
    THOUGHTS = auto()
    TOOL = auto()
    """Within a tool call written as text."""
    ROLE = auto()
    """After a mark that is followed by whose turn begins."""
    CHANNEL = auto()
    """After a mark that is followed by the name of a channel."""
    BETWEEN = auto()
    """After thoughts that were a message of their own."""


class _Kind(Enum):
    THOUGHTS = auto()
    ANSWER = auto()
    """The end of thoughts."""
    TOOL = auto()
    TOOL_END = auto()
    ROLE = auto()
    CHANNEL = auto()
    TEXT = auto()
    """The end of a role or channel."""
    MESSAGE_END = auto()
    END = auto()
    """The end of the turn, or the beginning of another's."""
    NOTHING = auto()
    """A mark that only has to go."""


class TemplateMarks:
    """Removes marks from content that arrives in pieces, wherever these are cut, and all that is no answer.

    Templates such as Qwen3-Thinking's open the tag of thoughts themselves, so that an answer has only the closing one:
    then all before it was thoughts. An unclosed ``<think>`` hides the rest. In code and in quotes a mark is text, as an
    answer may be about it; only thoughts' tags count in code blocks too, rather than that thoughts are spoken.
    """

    def __init__(self, *, thinks_first: bool = False) -> None:
        """Begin; with ``thinks_first`` the content begins within thoughts, though no tag says so."""
        self.ended = False
        """The model's turn is over, and what follows is not its own."""
        self.called_tool = False
        """A tool call was written as text."""
        self._mode = _Mode.THOUGHTS if thinks_first else _Mode.ANSWER
        self._held = ""
        self._header = ""
        self._wrapped = False  # the answer stands in a tag of its own
        self._began = False  # something of the answer was shown
        self._at_start, self._stripped = True, False
        self._thoughts = ""  # of the piece that is being read
        self._line, self._fenced = "", False  # of the answer so far: the line that grows, and whether it is code

    @property
    def thinking(self) -> bool:
        """Whether what comes next is thoughts."""
        return self._mode is _Mode.THOUGHTS

    def feed(self, content: str) -> Shown:
        """Add the next piece of content; return what of it is for the user."""
        text, self._held = self._held + content, ""
        if self._at_start:
            if len(text) < _LONGEST_START and "analysis".startswith(text.strip()[: len("analysis")]):
                self._held = text
                return Shown("")
            text = self._begin(text)
        beginning = _BEGINNING.search(text) or (_STRIPPED_BEGINNING.search(text) if self._stripped else None)
        if beginning:
            text, self._held = text[: beginning.start()], beginning[0]
        return self._take(text)

    def finish(self) -> Shown:
        """Return what was held back because it could have become a mark."""
        text, self._held = self._held, ""
        shown = self._take(self._begin(text) if self._at_start else text)
        if self._mode in {_Mode.ROLE, _Mode.CHANNEL}:
            return shown._replace(text=shown.text + self._end_header())
        return shown

    def _begin(self, text: str) -> str:
        self._at_start = False
        if channel := _STRIPPED_CHANNEL.match(text):
            self._mode, self._stripped = _Mode.THOUGHTS, True
            return text[channel.end() :]
        return text

    def _take(self, text: str) -> Shown:
        shown, replaces, position = "", False, 0
        self._thoughts = ""
        for mark in _MARK.finditer(text):
            if self.ended:
                break
            kind = _kind_of(mark) or (_Kind.NOTHING if self._is_wrapper(mark) else None)
            if kind is None or (mark["stripped"] and not self._stripped):
                continue
            before = text[position : mark.start()]
            shown += self._keep(before)
            if self._is_wrapper(mark):
                position = mark.end()
                continue
            if self._is_quoted(mark[0], kind):
                shown += self._keep(mark[0])
            elif kind is _Kind.ANSWER and self._mode is _Mode.ANSWER and not mark["stripped"]:
                self._thoughts += shown
                shown, replaces = "", True
                self._line, self._fenced = "", False
            else:
                shown += self._follow(kind)
            position = mark.end()
        if not self.ended:
            shown += self._keep(text[position:])
        return Shown(shown, replaces, self._thoughts)

    def _follow(self, kind: _Kind) -> str:
        """Go where a mark leads; return the text of a header that was none."""
        if kind is _Kind.NOTHING:
            return ""
        shown = self._end_header() if self._mode in {_Mode.ROLE, _Mode.CHANNEL} else ""
        if self.ended:
            return shown
        if kind is _Kind.END:
            self.ended = self._began or self._mode is not _Mode.ANSWER  # some begin with a mark of the end
        elif kind is _Kind.MESSAGE_END:
            self.ended = self._mode is not _Mode.THOUGHTS
            self._mode = _Mode.BETWEEN
        elif kind in _MODES:
            self._mode = _MODES[kind]
        elif kind is _Kind.TOOL and self._mode is not _Mode.THOUGHTS:
            self._mode, self.called_tool = _Mode.TOOL, True
        elif kind is _Kind.TOOL_END and self._mode is _Mode.TOOL:
            self._mode = _Mode.ANSWER
        return shown

    def _end_header(self) -> str:
        """Decide by a role or channel what follows; return its text if it was none."""
        header, self._header = self._header, ""
        known = (_ROLE if self._mode is _Mode.ROLE else _CHANNEL).match(header)
        is_role, self._mode = self._mode is _Mode.ROLE, _Mode.ANSWER
        if not known:
            return self._keep(header)
        if not known["own"]:
            self.ended = is_role
            self._mode = _Mode.THOUGHTS
        return ""

    def _is_wrapper(self, mark: re.Match[str]) -> bool:
        """Whether it is the tag that some models put around the answer that follows their thoughts."""
        if (
            self._mode is not _Mode.ANSWER
            or mark["left"]
            or mark["right"]
            or mark["name"] not in {"answer", "response"}
        ):
            return False
        if not mark["close"]:
            self._wrapped = self._wrapped or not self._began
            return self._wrapped and not self._began
        return self._wrapped

    def _is_quoted(self, mark: str, kind: _Kind) -> bool:
        """Whether a mark at the end of the text so far is a part of the answer."""
        if self._mode is not _Mode.ANSWER:
            return False
        if (self._line and self._line[-1] in _QUOTES) or (mark == "</s>" and "<s>" in self._line):
            return True
        in_code = self._fenced or bool(_FENCE.match(self._line)) or self._line.count("`") % 2 == 1
        return in_code and kind not in {_Kind.THOUGHTS, _Kind.ANSWER}

    def _keep(self, text: str) -> str:
        """Keep a text without marks for what it belongs to, and return it if that is the answer."""
        if self._mode is _Mode.THOUGHTS:
            self._thoughts += text
        elif self._mode in {_Mode.ROLE, _Mode.CHANNEL}:
            self._header += text
            header, newline, rest = self._header.partition("\n")
            if newline or len(header) > _MAX_HEADER_CHARS:
                self._header = header
                return self._end_header() + ("" if self.ended else self._keep(rest))
        elif self._mode is _Mode.ANSWER:
            self._began = self._began or bool(text.strip())
            *lines, last = (self._line + text).split("\n")
            for line in lines:
                self._fenced ^= bool(_FENCE.match(line))
            self._line = last
            return text
        return ""


_MODES = {
    _Kind.THOUGHTS: _Mode.THOUGHTS,
    _Kind.ANSWER: _Mode.ANSWER,
    _Kind.ROLE: _Mode.ROLE,
    _Kind.CHANNEL: _Mode.CHANNEL,
}


def _kind_of(mark: re.Match[str]) -> _Kind | None:
    """Return what a mark means; None for what only looks like one."""
    if mark["stripped"]:
        return _Kind.ANSWER
    if mark["bracket"]:
        if mark["bracket"].upper() != mark["bracket"]:
            return None
        if mark["bracket"] == "THINK":
            return _Kind.ANSWER if mark["bracket_close"] else _Kind.THOUGHTS
        if mark["bracket"] == "INST":
            return _Kind.NOTHING if mark["bracket_close"] else _Kind.END
        return _Kind.TOOL
    if not mark["name"]:
        return _Kind.ANSWER if mark["kimi_close"] else _Kind.THOUGHTS
    name, closes = mark["name"].lower().replace("▁", "_"), bool(mark["close"])
    name = _NAMESPACE.sub("", name)
    return _kind_of_special(name, mark) if mark["left"] or mark["right"] else _kind_of_tag(name, closes=closes)


def _kind_of_tag(name: str, *, closes: bool) -> _Kind | None:
    """Return what ``<name>`` or ``</name>`` means."""
    if _THOUGHTS.fullmatch(name):
        return _Kind.ANSWER if closes else _Kind.THOUGHTS
    if _TOOL.fullmatch(name):
        return _Kind.TOOL_END if closes else _Kind.TOOL
    if name == "end_function_call":
        return _Kind.TOOL_END
    if name == "start_of_turn":
        return _Kind.ROLE
    if name in {"end_of_turn", "eos"} or (name == "s" and closes):
        return _Kind.END
    return _Kind.NOTHING if name == "bos" else None


def _kind_of_special(name: str, mark: re.Match[str]) -> _Kind:
    """Return what ``<|name|>`` means, or with Gemma's one bar ``<|name>`` and ``<name|>``."""
    opens, closes = not mark["right"], not mark["left"] or bool(mark["close"])
    if name in {"im_start", "start", "start_of_role", "start_header_id"} or (name == "turn" and opens):
        return _Kind.ROLE
    if name in {"open", "close"} and mark["left"] and mark["right"]:
        return _Kind.CHANNEL
    if name == "channel":
        return _Kind.ANSWER if closes else _Kind.CHANNEL
    if name in {"message", "sep", "im_sep", "im_middle", "end_header_id", "end_of_role"}:
        return _Kind.TEXT
    if name in {"end_of_thought", "end_thinking", "begin_of_solution"} or (_THOUGHTS.fullmatch(name) and closes):
        return _Kind.ANSWER
    if name in {"begin_of_thought", "start_thinking"} or _THOUGHTS.fullmatch(name):
        return _Kind.THOUGHTS
    if name == "end":
        return _Kind.MESSAGE_END
    if _END.fullmatch(name) or name == "turn":
        return _Kind.END
    if name.endswith("_end") or name == "end_action" or (_TOOL.fullmatch(name) and closes):
        return _Kind.TOOL_END
    return _Kind.TOOL if _TOOL_MARK.fullmatch(name) or _TOOL.fullmatch(name) else _Kind.NOTHING
