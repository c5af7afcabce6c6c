"""A chat of a test's own with the june that runs, of which nothing stays behind."""

import asyncio
import shutil
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.error_codes import ErrorCode
from bots.intake import accept
from tests.integration.june import June
from tests.support.chat import PLATFORM, Chat, Ran, activities_of, eventually
from tests.support.encryption import opened_history
from tests.support.waiting import until
from workflows.names import Stage, conversation_id
from workflows.voice.contracts import ChatSettings, VoiceMessageRequest, VoiceMessageResult
from workflows.voice.conversation import Conversation
from workflows.voice.voice_message import VoiceMessage

TERSE = ChatSettings(
    system_prompt="You answer every question with a single sentence of at most ten words.", temperature=0
)
"""Keeps turns short, whatever the model: even the smallest does as it says, most of the time."""
FORGET_SECONDS = 60.0
NOT_SHARED = "june does not find what was uploaded: give these tests its JUNE_HOME or JUNE_BLOB_URL"


class OwnChat(Chat):
    """A new chat of platform ``file``."""

    def __init__(self, june: June) -> None:
        """Name it; nothing is started yet."""
        super().__init__(june, f"integration-{uuid4().hex[:12]}")
        self._seconds = june.settings.turn_seconds

    async def say(self, text: str) -> str:
        """Have a typed message accepted."""
        return await self.accepted(
            VoiceMessageRequest(platform=PLATFORM, chat=self.name, message=uuid4().hex, text=text)
        )

    async def accepted(self, request: VoiceMessageRequest) -> str:
        """Have a message accepted."""
        await accept(self._client, request)
        return request.message

    async def result(self, message: str) -> VoiceMessageResult:
        """Wait for the turn's end, for as long as the settings say."""
        result = await eventually(self.turn(message).result, self._seconds)
        assert result.error is not ErrorCode.AUDIO_MISSING, NOT_SHARED
        return result

    async def answer(self, message: str) -> VoiceMessageResult:
        """Wait for the turn's end, and see that it is an answer."""
        result = await self.result(message)
        assert (result.status, result.error) == ("answered", None)
        assert result.answer.strip()
        return result

    async def spoken(self, result: VoiceMessageResult) -> bytes:
        """Read the spoken reply."""
        assert result.reply, "the reply was not spoken"
        return await self._blobs.get(result.reply)

    async def idle(self) -> bool:
        """Tell whether nothing waits or runs in this chat; it learns of a turn's end a moment after it."""
        return not await self.conversation.query(Conversation.queue)

    async def reaches(self, message: str, stage: Stage) -> None:
        """Wait until a turn is in a stage."""

        async def there() -> bool:
            progress = await eventually(lambda: self.turn(message).query(VoiceMessage.progress), self._seconds)
            assert progress.stage is not Stage.DONE, f"the turn was over before it was seen in {stage.value}"
            return progress.stage is stage

        await until(there, self._seconds)

    async def ran(self, message: str) -> list[Ran]:
        """List what a turn did."""
        return activities_of(await opened_history(self.turn(message)))

    async def told(self) -> list[str]:
        """List what june itself said in this chat, beside its turns: notices, as they were sent."""
        history = await opened_history(self.conversation)
        return [ran.input.decode() for ran in activities_of(history) if ran.name == "reply" and ran.completed]

    async def forget(self) -> None:
        """Leave nothing of it behind."""
        await forget(self._client, PLATFORM, self.name)
        # june leaves delivered files alone; they are here only where these tests share its home.
        if await asyncio.to_thread(self._outbox.exists):
            await asyncio.to_thread(shutil.rmtree, self._outbox)


async def forget(client: Client, platform: str, chat: str) -> None:
    """Have june forget a chat, as ``/forget`` does, and remove the conversation itself, which would stay."""
    conversation = client.get_workflow_handle_for(Conversation.run, conversation_id(platform, chat))
    run = ""

    async def erased() -> bool:
        if (await conversation.describe()).run_id == run:
            return False
        history = await opened_history(conversation)
        return any(ran.name == "forget" and ran.completed for ran in activities_of(history))

    async with asyncio.timeout(FORGET_SECONDS):
        try:
            run = (await conversation.describe()).run_id
            await conversation.execute_update(Conversation.forget)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # nothing was ever said there
                return
            raise
        await until(erased, FORGET_SECONDS)
        await conversation.terminate("the test has ended")
        # Deleted before it is listed as ended, it would be listed for ever.
        query = f"WorkflowId = '{conversation.id}' AND ExecutionStatus = 'Terminated'"

        async def listed() -> bool:
            return (await client.count_workflows(query)).count > 0

        await until(listed)
        execution = WorkflowExecution(workflow_id=conversation.id)
        deletion = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
        await client.workflow_service.delete_workflow_execution(deletion)
