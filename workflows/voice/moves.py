"""A chat gets another id, as a group that becomes a supergroup does: its conversation there goes on where this one was.

The bot asks the former conversation to ``become`` the new one, has that ``adopt`` what it is told, and tells the former
one so. Each step can be done again; turns that are still under way are remembered in the new one, by ``recall``.
"""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from workflows.names import conversation_id
    from workflows.voice.background import BackgroundTasks
    from workflows.voice.contracts import ChatSettings, ConversationState, Exchange, Former, Memory
    from workflows.voice.memory import remember
    from workflows.voice.summary import RunningSummary


class Moves:
    """Remembers turns where the chat is now, and hands memory and settings over."""

    def __init__(
        self,
        state: Callable[[], ConversationState],
        change: Callable[..., None],
        background: BackgroundTasks,
        summary: RunningSummary,
    ) -> None:
        """Serve the updates ``adopt`` and ``become``, and the signal ``recall``.

        Args:
            state: returns what the conversation knows.
            change: changes fields of it.
            background: runs what takes a moment.
            summary: of what leaves the memory's window.

        """
        self._state = state
        self._change = change
        self._background = background
        self._summary = summary
        workflow.set_update_handler("adopt", self.adopt)
        workflow.set_update_handler("become", self.become)
        workflow.set_signal_handler("recall", self.recall)

    def adopt(self, former: Former) -> None:
        """Go on with the settings and the memory of the chat that has become this one; once."""
        state = self._state()
        if state.former_chat is None:
            settings = former.settings if state.settings == ChatSettings() else state.settings
            self._change(former_chat=former.chat, settings=settings, memory=adopted(state.memory, former))

    def become(self, chat: str, adopted: bool = False) -> Former:
        """Return what the chat that this one has become is to adopt.

        Args:
            chat: its id.
            adopted: it has done so: what is remembered is forgotten here.

        """
        self._change(became=chat, memory=Memory() if adopted else self._state().memory)
        state = self._state()
        return Former(chat=state.chat, settings=state.settings, memory=state.memory)

    def recall(self, exchange: Exchange) -> None:
        """Remember a turn."""
        self._change(memory=remember(self._state().memory, exchange))
        self._summary.begin()

    def remember(self, exchange: Exchange) -> None:
        """Remember a turn that has ended, here or where the chat is now."""
        if self._state().became:
            self._background.begin(self._hand_on(exchange))
        else:
            self.recall(exchange)

    async def _hand_on(self, exchange: Exchange) -> None:
        state = self._state()
        there = conversation_id(state.platform, state.became or state.chat)
        try:
            await workflow.get_external_workflow_handle(there).signal("recall", exchange)
        except FailureError as error:
            workflow.logger.warning("a turn is not remembered, as conversation %s is gone: %s", there, error)


def adopted(memory: Memory, former: Former) -> Memory:
    """Return the memory of a chat that another one has become: what was said there came before."""
    summary = "\n".join(filter(None, (former.memory.summary, memory.summary)))
    return Memory(summary=summary, window=(*former.memory.window, *memory.window))
