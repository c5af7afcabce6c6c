"""Ids of the messages that a conversation has accepted, so that one delivered twice is answered once."""

import hashlib

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.names import conversation_id
    from workflows.voice.contracts import ConversationState

SEEN_IDS_KEPT = 256
"""Message ids remembered to tell duplicates; older ones are caught by the ids of their workflows."""
FORGOTTEN_IDS_KEPT = 512
"""Hashed ids remembered over a /forget, as that deletes the workflows as well."""
FORGOTTEN_SECONDS = 48 * 3600.0
"""Telegram delivers again, and june looks for what Discord has not delivered, for 24 hours."""


class SeenIds:
    """The last ids, and over a /forget hashes of them."""

    def __init__(self, state: ConversationState) -> None:
        """Restore what the run before knew."""
        self._conversation = conversation_id(state.platform, state.chat, state.thread)
        self._seen = state.seen
        self._forgotten = dict(state.forgotten)

    def __contains__(self, message: str) -> bool:
        """Whether a message of this id was accepted before, be it before a /forget."""
        return message in self._seen or self._hashed(message) in self._forgotten

    def add(self, message: str) -> None:
        """Remember an id."""
        self._seen = (*self._seen, message)[-SEEN_IDS_KEPT:]

    def forget(self, now: float) -> None:
        """Forget all ids but their hashes: a platform may deliver the messages again.

        Args:
            now: seconds since the epoch.

        """
        kept = {known: at for known, at in self._forgotten.items() if now - at < FORGOTTEN_SECONDS}
        kept |= {self._hashed(message): now for message in self._seen}
        self._forgotten = dict(list(kept.items())[-FORGOTTEN_IDS_KEPT:])
        self._seen = ()

    def saved(self) -> dict[str, object]:
        """Return the fields of ConversationState that the next run goes on with."""
        return {"seen": self._seen, "forgotten": self._forgotten}

    def _hashed(self, message: str) -> str:
        return hashlib.sha256(f"{self._conversation}/{message}".encode()).hexdigest()[:16]
