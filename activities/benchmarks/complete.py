"""Complete: a single answer of the model to a task."""

import time
from collections import OrderedDict

from temporalio import activity

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Pinned, TaskPrompt, attempt_seed
from activities.benchmarks.task_files import BenchmarkError
from activities.coding.completion import read_completion
from activities.coding.storage import CodingStorage
from activities.error_codes import ErrorCode
from activities.heartbeats import heartbeats
from activities.language_model import LanguageModel, ModelRequest
from activities.values import BlobRef, Value
from activities.waiting import Waiting
from agent.messages import Message

CHARS_A_TOKEN = 8
"""At most, with room to spare: bounds what is read of a model that goes on."""
MAX_PROMPTS_BYTES = 64_000_000
KEPT_RUNS = 4


class CompleteRequest(Value):
    """Which task is to be answered, and how."""

    pinned: Pinned
    """Without its tasks."""
    task: str
    sample: int
    waits_for_live: bool = True
    """It does not begin beside turns that somebody waits for."""


class Completed(Value):
    """The model's answer."""

    answer: BlobRef
    is_empty: bool = False
    finish_reason: str
    """In the server's words: ``stop``, ``length``; ``repetition`` where june has stopped it."""
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class CompleteActivity:
    """The activity ``complete``."""

    def __init__(self, model: LanguageModel, storage: CodingStorage, silent_seconds: float = 120.0) -> None:
        """Ask this model.

        Args:
            model: whom to ask; it does not retry by itself.
            storage: has the prompts, and gets the answers.
            silent_seconds: without a token, in all attempts together: a server that hangs is given up.

        """
        self._model = model
        self._storage = storage
        self._silent_seconds = silent_seconds
        self._prompts: OrderedDict[str, dict[str, str]] = OrderedDict()

    @activity.defn
    async def complete(self, request: CompleteRequest) -> Completed:
        """Ask for the answer, and store it.

        Raises:
            BenchmarkError: ``task-unknown``.
            CodingError: ``workspace-missing``, the prompts are deleted.
            BadInputError: ``model-refused``.
            ApplicationError: ``model-unavailable``, to be retried; for good, once the server was silent for too long.

        """
        pinned = request.pinned
        waiting = Waiting(self._silent_seconds, ErrorCode.MODEL_UNAVAILABLE)
        async with heartbeats(waiting.details):
            prompt = await self._prompt(pinned, request.task)
            asked = ModelRequest(
                messages=(Message("user", prompt),),
                model=pinned.model,
                temperature=pinned.temperature,
                answer_tokens=pinned.answer_tokens,
                thinking_tokens=pinned.thinking_tokens,
                top_p=pinned.top_p,
                top_k=pinned.top_k,
                seed=attempt_seed(pinned.seed, request.task, request.sample),
                shortens=False,
            )
            max_chars = CHARS_A_TOKEN * (pinned.answer_tokens + pinned.thinking_tokens)
            started = time.monotonic()
            async with waiting.bounded():
                completion = await read_completion(self._model, asked, waiting.renew, max_chars)
            seconds = time.monotonic() - started
            owner = owner_of(pinned.run, request.task, request.sample)
            answer = await self._storage.put(owner, completion.content.encode(), "text/markdown", "md")
        return Completed(
            answer=answer,
            is_empty=not completion.content.strip(),
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            seconds=round(seconds, 2),
        )

    async def _prompt(self, pinned: Pinned, task: str) -> str:
        if pinned.prompts is None:
            raise BenchmarkError("task-unknown", "The run was planned without prompts.")
        key = pinned.prompts.key
        prompts = self._prompts.get(key)
        if prompts is None:
            lines = (await self._storage.get(pinned.prompts, MAX_PROMPTS_BYTES)).splitlines()
            read = [TaskPrompt.model_validate_json(line) for line in lines]
            prompts = self._prompts[key] = {each.task: each.prompt for each in read}
            while len(self._prompts) > KEPT_RUNS:
                self._prompts.popitem(last=False)
        if task not in prompts:
            raise BenchmarkError("task-unknown", f"The run was planned without {task}.")
        return prompts[task]
