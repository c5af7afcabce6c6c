"""Turns, started as a Conversation starts them."""

from uuid import uuid4

from temporalio.client import Client, WorkflowHandle

from activities.values import AudioSource
from tests.support.world import PLATFORM
from workflows.names import WORKFLOW_QUEUE
from workflows.voice.contracts import VoiceMessageRequest, VoiceMessageResult
from workflows.voice.voice_message import VoiceMessage


def request(**changes: object) -> VoiceMessageRequest:
    given: dict[str, object] = {
        "platform": PLATFORM,
        "chat": "1",
        "message": "1",
        "audio": AudioSource(locator="hello"),
    }
    return VoiceMessageRequest.model_validate(given | changes)


async def start(
    client: Client, asked: VoiceMessageRequest | None = None
) -> WorkflowHandle[VoiceMessage, VoiceMessageResult]:
    return await client.start_workflow(
        VoiceMessage.run, asked or request(), id=f"voice-{uuid4()}", task_queue=WORKFLOW_QUEUE
    )


async def answer(client: Client, asked: VoiceMessageRequest | None = None) -> VoiceMessageResult:
    return await (await start(client, asked)).result()
