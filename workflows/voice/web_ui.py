"""What people read of conversations and turns in the Temporal Web UI, in Markdown."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.names import Stage
    from workflows.one_line import shortened
    from workflows.voice.contracts import ConversationState, QueuedMessage, VoiceMessageRequest, VoiceMessageResult

DETAILS_CHARS = 4000
"""The server takes 20,000 bytes of details."""


def of_turn(
    request: VoiceMessageRequest,
    result: VoiceMessageResult,
    stage: Stage,
    stage_ms: dict[Stage, int],
    *,
    thinks: bool = False,
) -> str:
    """Describe a turn: stage, what was heard, what is answered, milliseconds by stage."""
    now = f"**{stage.value}**"
    if thinks and stage is Stage.INFER:
        now += ", the model thinks"
    elif result.status == "stopped":
        now += ", stopped"
    lines = [f"{now} — {request.platform}, chat `{request.chat}`, message `{request.message}`"]
    if result.transcript:
        language = f" ({result.language})" if result.language else ""
        lines.append(f"**Heard**{language}: {_quoted(result.transcript)}")
    if result.answer:
        lines.append(f"**Answer**{', cut' if result.cut else ''}: {_quoted(result.answer)}")
    if result.error:
        lines.append(f"**Error**: `{result.error.value}`" + (f" in {result.error_stage}" if result.error_stage else ""))
    if stage_ms:
        lines.append(" · ".join(f"{name.value} {ms} ms" for name, ms in stage_ms.items()))
    return "\n\n".join(lines)


def of_conversation(state: ConversationState, queue: list[QueuedMessage]) -> str:
    """Describe a conversation: what is being answered, what is remembered."""
    lines = [f"**{state.turns} turns**, {len(queue)} in the queue, replies by voice: {state.settings.reply_mode.value}"]
    if queue:
        lines.append("Now: " + ", ".join(f"`{item.message}`" for item in queue))
    if state.memory.summary:
        lines.append(f"**Summary**: {_quoted(state.memory.summary)}")
    lines += [
        f"**User**: {_quoted(exchange.user, 300)}\n\n**june**: {_quoted(exchange.assistant, 300)}"
        for exchange in state.memory.window[-5:]
    ]
    return "\n\n".join(lines)


def _quoted(text: str, chars: int = DETAILS_CHARS // 2) -> str:
    return shortened(text, chars)
