"""What a conversation remembers: a bounded window of turns word for word, and a running summary of those before.

Pure functions over values: a turn's prompt has an upper bound, however long the conversation.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.infer import Message
    from activities.text.languages import LATIN_ENDS
    from workflows.voice.contracts import Exchange, Memory, VoiceMessageRequest

WINDOW_TURNS = 12
"""When the window holds more, its older half is summarised."""
WINDOW_CHARS = 6000
"""About 1,500 tokens: leaves room for the answer in the embedded model's context."""
WEIGHT = 4
"""Of a letter of another script, in Latin letters: it is a token or more, and a Latin one about a quarter of one."""
EXCHANGE_CHARS = 1500
"""What is remembered of one side of one turn."""
SUMMARY_CHARS = 1200
LATE_TURNS = 18
LATE_CHARS = 8000
"""What a prompt holds while a summary is late; about 2,000 tokens."""

SYSTEM_PROMPT = (
    "You are june, a friendly voice assistant. Your answers are read aloud, so answer in one to three short sentences "
    "of plain prose. Use lists, Markdown or code only when you are asked for them. Answer in the user's language. "
    "When you do not know something, say so."
)
SUMMARY_PROMPT = (
    "Summarise the conversation below in at most 120 words of plain prose. Keep names, facts, decisions and open "
    "questions. Write only the summary."
)


def utterance(request: VoiceMessageRequest, transcript: str) -> str:
    """Put what was said as the conversation remembers it: with the speaker's name where several people talk."""
    said = f'About a recording that says "{transcript}":\n{request.remark}' if request.remark else transcript
    return f"{request.sender}: {said}" if request.shared and request.sender else said


def asked(request: VoiceMessageRequest, transcript: str) -> str:
    """Put what was said as the model is asked: with the message that it replies to."""
    said = utterance(request, transcript)
    return f'About the message "{_clip(request.quoted, EXCHANGE_CHARS)}":\n{said}' if request.quoted else said


def remember(memory: Memory, exchange: Exchange) -> Memory:
    """Add a turn; beyond twice the bounds the oldest are dropped, so that a failing summary never lets it grow."""
    sides = {"user": _clip(exchange.user, EXCHANGE_CHARS), "assistant": _clip(exchange.assistant, EXCHANGE_CHARS)}
    clipped = exchange.model_copy(update=sides)
    window = (*memory.window, clipped)[-2 * WINDOW_TURNS :]
    while len(window) > 1 and _chars(window) > 2 * WINDOW_CHARS:
        window = window[1:]
    return memory.model_copy(update={"window": window})


def to_summarise(memory: Memory, *, weighted: bool = True) -> tuple[Exchange, ...]:
    """Name the turns that should leave the window, oldest first; empty while it is within its bounds.

    Args:
        memory: of the conversation.
        weighted: letters count by what they take of a model's context; False counts them alike, as 0.1.0 did.

    """
    size = _weight(memory.window) if weighted else _chars(memory.window)
    if len(memory.window) <= WINDOW_TURNS and size <= WINDOW_CHARS:
        return ()
    return memory.window[: max(1, len(memory.window) // 2)]


def summarised(memory: Memory, gone: tuple[Exchange, ...], summary: str) -> Memory:
    """Replace the turns that were summarised; turns that came meanwhile stay."""
    window = memory.window
    while window and window[0] in gone:
        window = window[1:]
    return Memory(summary=_clip(summary.strip(), SUMMARY_CHARS), window=window)


def summary_prompt(memory: Memory, gone: tuple[Exchange, ...]) -> tuple[Message, ...]:
    """Ask for a new running summary of the old one and the turns that leave the window."""
    lines = [f"Summary so far: {memory.summary}"] if memory.summary else []
    for exchange in gone:
        lines += [f"User: {exchange.user}", f"june: {exchange.assistant}"]
    return (Message(role="system", content=SUMMARY_PROMPT), Message(role="user", content="\n".join(lines)))


def prompt(memory: Memory, utterance: str, system: str | None = None) -> tuple[Message, ...]:
    """Build a turn's prompt. The system prompt comes first and never changes, so that its cached prefix serves."""
    told = system or SYSTEM_PROMPT
    if memory.summary:
        told += f"\n\nWhat was said before: {memory.summary}"
    messages = [Message(role="system", content=told)]
    for exchange in _newest(memory.window):
        messages.append(Message(role="user", content=exchange.user, said_at=exchange.said_at))
        messages.append(Message(role="assistant", content=exchange.assistant))
    messages.append(Message(role="user", content=utterance))
    return tuple(messages)


def _newest(window: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Take what fits into a prompt, even while a summary is late.

    Older turns are left out by halves, as one more with each turn would change the prefix that the server has cached.
    """
    kept: tuple[Exchange, ...] = ()
    for exchange in window:
        kept = (*kept, exchange)
        while len(kept) > LATE_TURNS or _chars(kept) > LATE_CHARS:
            kept = kept[max(1, len(kept) // 2) :]
    return kept


def _weight(window: tuple[Exchange, ...]) -> int:
    return sum(
        WEIGHT if letter > LATIN_ENDS else 1
        for exchange in window
        for side in (exchange.user, exchange.assistant)
        for letter in side
    )


def _chars(window: tuple[Exchange, ...]) -> int:
    return sum(len(exchange.user) + len(exchange.assistant) for exchange in window)


def _clip(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
