"""Error codes, and what is raised where there is no Temporal; `activities.errors` has what activities raise.

Codes are stable strings: operators alert on them, bots turn them into sentences in the user's language.
"""

from enum import StrEnum

GAVE_WAY = "gave-way"
"""Type of the failure of an attempt that a live turn goes before: not begun, or given up; benign, and tried again."""


class ErrorCode(StrEnum):
    """Every way in which a turn can end without the answer that was asked for."""

    AUDIO_MISSING = "audio-missing"
    """The reference points at nothing (deleted, expired, never there)."""
    AUDIO_FORBIDDEN = "audio-forbidden"
    """The reference points at a place that june may not read."""
    AUDIO_UNAVAILABLE = "audio-unavailable"
    """The platform did not hand the audio over within the time of the turn."""
    AUDIO_TOO_LARGE = "audio-too-large"
    """More bytes than the limit (default 20 MB)."""
    AUDIO_TOO_LONG = "audio-too-long"
    """More seconds of sound than the limit (default 600 s), however small the file."""
    AUDIO_EMPTY = "audio-empty"
    """No bytes, or a container without a single sample."""
    AUDIO_UNREADABLE = "audio-unreadable"
    """Not audio, of a kind that is not accepted, or damaged."""
    NO_SPEECH = "no-speech"
    """Sound, but nothing said in it."""
    TRANSCRIPTION_UNAVAILABLE = "transcription-unavailable"
    """No worker could transcribe within the time of the turn."""
    MODEL_UNAVAILABLE = "model-unavailable"
    """The language model's server did not answer within the time of the turn."""
    MODEL_REFUSED = "model-refused"
    """The model's server refused the request for good (unknown model, prompt too long, wrong key)."""
    MODEL_EMPTY = "model-empty"
    """The model ended without saying anything (only thoughts, or nothing at all)."""
    VOICE_UNAVAILABLE = "voice-unavailable"
    """No voice speaks this language, or speech synthesis failed: the reply is text."""
    VOICE_FORBIDDEN = "voice-forbidden"
    """The receiver does not accept voice messages: the reply is text."""
    REPLY_FAILED = "reply-failed"
    """The reply could not be delivered."""
    REPLY_UNCERTAIN = "reply-uncertain"
    """The platform did not say whether the answer arrived; it is sent again only when somebody asks for it."""
    QUEUE_FULL = "queue-full"
    """Too many messages of this chat are waiting."""
    RATE_LIMITED = "rate-limited"
    """Too many messages from this chat in the last minute."""
    USER_RATE_LIMITED = "user-rate-limited"
    """Too many messages from this person in the last minute, in all chats together."""
    USER_VOICE_SPENT = "user-voice-spent"
    """This person's seconds of speech for today are used up."""
    CHAT_GONE = "chat-gone"
    """The receiver has blocked june, or the chat is no more: there is nobody to tell."""
    REQUEST_INVALID = "request-invalid"
    """The request itself is wrong (neither audio nor text, for example)."""
    TURN_TIMED_OUT = "turn-timed-out"
    """The turn's overall deadline passed."""
    KEY_UNKNOWN = "key-unknown"
    """Something is encrypted with a key that a worker lacks: june's operator has to give it the key ring."""
    CANCELLED = "cancelled"
    """The user or an operator cancelled the turn."""
    INTERNAL = "internal"
    """A fault of june itself; the workflow's history says more."""


class CodingCode(StrEnum):
    """Every way in which a coding task can end early, or be refused."""

    WORKSPACE_FORBIDDEN = "workspace-forbidden"
    """A folder that ``JUNE_CODE_ROOTS`` does not name."""
    WORKSPACE_MISSING = "workspace-missing"
    """No such folder, or a stored workspace that is deleted."""
    WORKSPACE_TOO_LARGE = "workspace-too-large"
    """More bytes or files than ``JUNE_SANDBOX_WORKSPACE_MB`` and ``JUNE_SANDBOX_WORKSPACE_FILES`` allow."""
    WORKSPACE_UNREADABLE = "workspace-unreadable"
    """A folder that cannot be read."""
    ARCHIVE_DAMAGED = "archive-damaged"
    """A stored workspace that is no archive of june's."""
    SANDBOX_UNAVAILABLE = "sandbox-unavailable"
    """The isolation that was asked for is not to be had on this machine; nothing runs with less."""
    SANDBOX_DIED = "sandbox-died"
    """The sandbox or its worker ended in the middle of a step, again and again."""
    MODEL_UNAVAILABLE = "model-unavailable"
    """The model's server did not answer."""
    MODEL_REFUSED = "model-refused"
    """The model's server refused the request for good."""
    LIMIT_STEPS = "limit-steps"
    LIMIT_TOKENS = "limit-tokens"
    LIMIT_SECONDS = "limit-seconds"
    FORMAT_ERRORS = "format-errors"
    """The model gave nothing that is an action, several times in a row."""
    REPEATING = "repeating"
    """The model did the same again and again, with the same outcome."""
    TESTS_FAIL = "tests-fail"
    """The agent says that it is done, and the tests fail."""
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    """A fault of june itself; the workflow's history says more."""


class UnusableAudioError(Exception):
    """Audio that no retry can mend."""

    def __init__(self, code: ErrorCode, message: str, **params: float | int | str) -> None:
        """Say what is wrong: the arguments are those of ``activities.errors.BadInputError``."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.params = params
