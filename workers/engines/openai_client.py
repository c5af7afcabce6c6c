"""The client of the language model's server, embedded or any other."""

import logging

import openai
import stamina

from workers.network import is_loopback
from workers.ports import LOOPBACK
from workers.settings import EmbeddedSettings, LlmSettings
from workflows.voice.memory import SYSTEM_PROMPT

CONNECT_SECONDS = 5.0
TIMEOUT_SECONDS = 30.0
"""For a server that starts beside this process."""
POLL_SECONDS = 0.1
NOT_READY = (openai.APIConnectionError, openai.InternalServerError)
"""Not there yet, or still loading."""

_log = logging.getLogger(__name__)


def build_client(settings: LlmSettings, ports: EmbeddedSettings) -> openai.AsyncOpenAI:
    """Build the client; retries are Temporal's, so the client does none."""
    url = settings.base_url or f"http://{LOOPBACK}:{ports.llm_port}/v1"
    return openai.AsyncOpenAI(
        base_url=url,
        api_key=settings.api_key.get_secret_value() or "none",
        max_retries=0,
        timeout=openai.Timeout(settings.first_token_seconds, connect=CONNECT_SECONDS),
        # Of proxies, this client reads the environment's variables; one that it does not understand is an error.
        http_client=openai.DefaultAsyncHttpxClient(trust_env=not is_loopback(url)),
    )


async def warm_up(client: openai.AsyncOpenAI, settings: LlmSettings, timeout_seconds: float = TIMEOUT_SECONDS) -> bool:
    """Wait until the server answers, and have it read june's system prompt, which it caches for the first turn.

    A server that does not answer is no reason for a worker not to start: it may come back, speech is recognized
    without it, and each inference reports its own failure.

    Returns:
        Whether the server answered.

    """
    attempts = stamina.retry_context(
        on=NOT_READY,
        attempts=None,
        timeout=timeout_seconds,
        wait_initial=POLL_SECONDS,
        wait_max=POLL_SECONDS,
        wait_jitter=0,
        wait_exp_base=1,
    )
    try:
        async for attempt in attempts:
            with attempt:
                await client.chat.completions.create(
                    model=settings.model,
                    messages=[{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": "Hello"}],
                    max_tokens=1,
                )
    except NOT_READY as error:
        _log.warning("the model server at %s does not answer: %s", client.base_url, error)
    except openai.APIStatusError as error:
        _log.warning("the model server at %s refuses %s: %s", client.base_url, settings.model, error.status_code)
    else:
        return True
    return False
