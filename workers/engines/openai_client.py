"""The client of the language model's server, embedded or any other."""

import asyncio
import logging
import time

import openai

from workers.ports import LOOPBACK
from workers.settings import EmbeddedSettings, LlmSettings
from workflows.voice.memory import SYSTEM_PROMPT

CONNECT_SECONDS = 5.0
TIMEOUT_SECONDS = 30.0
"""With a server that comes up beside this process."""
POLL_SECONDS = 0.1

_log = logging.getLogger(__name__)


def build_client(settings: LlmSettings, ports: EmbeddedSettings) -> openai.AsyncOpenAI:
    """Build the client; retries are Temporal's, so the client does none."""
    return openai.AsyncOpenAI(
        base_url=settings.base_url or f"http://{LOOPBACK}:{ports.llm_port}/v1",
        api_key=settings.api_key.get_secret_value() or "none",
        max_retries=0,
        timeout=openai.Timeout(settings.first_token_seconds, connect=CONNECT_SECONDS),
    )


async def warm_up(client: openai.AsyncOpenAI, settings: LlmSettings, timeout_seconds: float = TIMEOUT_SECONDS) -> bool:
    """Wait until the server answers, and have it read june's system prompt, which it keeps for the first turn.

    A server that does not answer keeps no worker from starting: it may come back, speech is recognized without
    it, and each inference tells for itself.

    Returns:
        Whether the server answered.

    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            await _read_system_prompt(client, settings.model)
        except (openai.APIConnectionError, openai.InternalServerError) as error:  # not there yet, or loading
            if time.monotonic() < deadline:
                await asyncio.sleep(POLL_SECONDS)
                continue
            _log.warning("the model server at %s does not answer: %s", client.base_url, error)
        except openai.APIStatusError as error:
            _log.warning("the model server at %s refuses %s: %s", client.base_url, settings.model, error.status_code)
        else:
            return True
        return False


async def _read_system_prompt(client: openai.AsyncOpenAI, model: str) -> None:
    await client.chat.completions.create(
        model=model,
        messages=[{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": "Hello"}],
        max_tokens=1,
    )
