"""Messages that belong together, as a platform sends a long text in parts: they are one question, with one answer.

Which messages those are the bot says, which knows when each was sent.
"""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.voice.contracts import MAX_JOINED_CHARS, MAX_QUOTED_CHARS, VoiceMessageRequest

CONTINUED_WITHIN = timedelta(seconds=1.2)
"""A message that may be continued waits so long for what continues it."""


def joined(first: VoiceMessageRequest, second: VoiceMessageRequest) -> VoiceMessageRequest | None:
    """Return both messages as one, known by the id of the second; None where they are of two people, or recordings."""
    if first.user != second.user or (first.audio and second.audio):
        return None
    parts = (first.text or first.remark, second.text or second.remark)
    said, audio = "\n".join(part for part in parts if part), first.audio or second.audio
    return second.model_copy(
        update={
            "audio": audio,
            "text": None if audio else said[:MAX_JOINED_CHARS],
            "remark": (said[:MAX_QUOTED_CHARS] or None) if audio else None,
            "quoted": first.quoted or second.quoted,
            "interrupts": None,
        }
    )
