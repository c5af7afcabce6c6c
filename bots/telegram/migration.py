"""A group that becomes a supergroup gets another id: who may talk there, its settings and its memory move along.

Telegram tells it twice, in either chat. Each of the steps can be done again without harm, and an update is confirmed
only after the last of them, so it does not matter which comes first, or whether june is killed in between.
"""

from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from bots import access, intake
from bots.access import Policy
from bots.owners import OwnerCommands
from bots.telegram.messages import PLATFORM
from bots.workflow_calls import TIMEOUT, update_with_start
from workflows.access.contracts import AccessChange, Permission
from workflows.names import CONVERSATION, conversation_id
from workflows.voice.contracts import ConversationState, Former


class Migration:
    """Moves what june knows of a group to the supergroup that it has become."""

    def __init__(self, client: Client, policy: Policy) -> None:
        """Configure the move.

        Args:
            client: connection to Temporal.
            policy: who may talk as the settings say, which name the group by its former id.

        """
        self._client = client
        self._policy = policy

    async def move(self, old: str, new: str, title: str | None) -> None:
        """Move along who may talk, settings and memory; a second time this does nothing.

        Raises:
            temporalio.service.RPCError: the server, or a worker, did not answer: to be tried again.

        """
        try:
            await self._move_permission(old, new, title)
            await self._move_conversation(old, new)
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise RPCError("no worker answered in time", RPCStatusCode.DEADLINE_EXCEEDED, b"") from error

    async def _move_permission(self, old: str, new: str, title: str | None) -> None:
        """Have Access keep of the supergroup what owners, or else the settings, said of the group."""
        standings = (await access.read(self._client, PLATFORM, self._policy)).view.standings
        by_settings = (
            Permission.OPEN
            if old in self._policy.open_groups
            else Permission.ALLOWED
            if old in self._policy.groups
            else None
        )
        standing = standings.get(old, by_settings)
        named = new in standings or new in self._policy.groups | self._policy.open_groups
        if standing and not named:
            change = AccessChange(id=new, standing=standing, name=(title or "")[:120] or None)
            await OwnerCommands(self._client).change_access(PLATFORM, change)

    async def _move_conversation(self, old: str, new: str) -> None:
        """Give the supergroup's conversation what the group's has chosen, remembers and still answers."""
        former = self._client.get_workflow_handle(conversation_id(PLATFORM, old))
        try:
            known: Former = await former.execute_update("become", new, result_type=Former, rpc_timeout=TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return  # nobody has talked there
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            CONVERSATION,
            ConversationState(platform=PLATFORM, chat=new),
            **intake.start_options(PLATFORM, new, None),
        )
        await update_with_start(self._client, "adopt", [known], start, None)
        await former.execute_update("become", args=[new, True], rpc_timeout=TIMEOUT)
