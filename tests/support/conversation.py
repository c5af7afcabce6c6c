"""A chat with june's workflows, whose activities are replaced by name."""

import asyncio
from contextlib import suppress
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.infer import InferRequest
from activities.values import AudioSource
from bots.intake import accept
from tests.support.world import PLATFORM
from workflows.names import WORKFLOW_QUEUE, conversation_id, voice_message_id
from workflows.voice.contracts import ConversationState, VoiceMessageRequest, VoiceMessageResult
from workflows.voice.conversation import Conversation
from workflows.voice.voice_message import VoiceMessage


class Chat:
    """A chat as a bot sees it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.name = uuid4().hex[:12]
        self.sent = 0

    async def open(self, state: ConversationState) -> None:
        """Start the conversation with a state of its own."""
        await self.client.start_workflow(
            Conversation.run, state, id=conversation_id(PLATFORM, self.name), task_queue=WORKFLOW_QUEUE
        )

    async def send(self, said: str, message: str | None = None, *, spoken: bool = False, **more: object) -> str:
        """Send a message; a spoken one costs four activities more. Its audio's name is what is heard."""
        self.sent += 1
        message = message or str(self.sent)
        how: dict[str, object] = {"audio": AudioSource(locator=said)} if spoken else {"text": said}
        given = {"platform": PLATFORM, "chat": self.name, "message": message}
        await accept(self.client, VoiceMessageRequest.model_validate(given | how | more))
        return message

    async def result(self, message: str) -> VoiceMessageResult:
        """Wait for the end of a message's workflow, which the conversation starts when it gets to it."""
        handle = self.turn(message)
        async with asyncio.timeout(20):
            while True:
                with suppress(RPCError):
                    return await handle.result()
                await asyncio.sleep(0.02)

    async def ask(self, said: str, *, spoken: bool = False) -> VoiceMessageResult:
        return await self.result(await self.send(said, spoken=spoken))

    def turn(self, message: str) -> WorkflowHandle[VoiceMessage, VoiceMessageResult]:
        return self.client.get_workflow_handle_for(VoiceMessage.run, voice_message_id(PLATFORM, self.name, message))

    @property
    def handle(self) -> WorkflowHandle[Conversation, None]:
        return self.client.get_workflow_handle_for(Conversation.run, conversation_id(PLATFORM, self.name))


def contents(request: InferRequest) -> list[str]:
    """Return what the model was asked, without the system prompt."""
    return [message.content for message in request.messages[1:]]
