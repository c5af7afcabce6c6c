"""The coding agent's model: settings of its own, or the server and model of conversations."""

from activities.language_model import LanguageModel
from agent.prompt import Driver, Window
from workers.engines.noop import NoopModel
from workers.engines.openai_chat import OpenAIChat
from workers.engines.openai_client import build_client
from workers.settings import CodeSettings, EmbeddedSettings, LlmSettings, WorkerSettings

CONTEXT_TOKENS = 32_768
"""Of a server that is not the embedded one, where nothing else is set."""
SLOWEST_READING = 20
"""Tokens a second at which the embedded server reads a prompt on a slow or busy machine, saying nothing meanwhile."""


def load_coding_model() -> tuple[LanguageModel, Driver, Window]:
    """Return the agent's model, how it is made to act, and how much it reads and writes."""
    code, conversations = CodeSettings(), LlmSettings()
    llm = coding_settings(code, conversations)
    embedded = not llm.base_url
    window = Window(
        context_tokens=code.context_tokens or (llm.context_tokens if embedded else CONTEXT_TOKENS),
        answer_tokens=code.answer_tokens,
        thinking_tokens=code.thinking_tokens,
    )
    driver = Driver(code.driver) if code.driver != "auto" else Driver.TEXT if embedded else Driver.TOOLS
    if not WorkerSettings().has_model:
        return NoopModel(), driver, window
    # Of a server that is not embedded, the window is asked where it is not set: a prompt may not be cut in silence.
    tokens = window.context_tokens if embedded else code.context_tokens or None
    model = OpenAIChat(build_client(llm, EmbeddedSettings()), llm.model, llm.first_token_seconds, tokens)
    return model, driver, window


def coding_settings(code: CodeSettings, conversations: LlmSettings) -> LlmSettings:
    """Return the settings of the agent's server; a key goes to no server but the one that it is for.

    The embedded one may be silent for longer than in a conversation: prompts of the agent fill its window.
    """
    elsewhere = bool(code.base_url) and code.base_url != conversations.base_url
    api_key = code.api_key if code.api_key.get_secret_value() or elsewhere else conversations.api_key
    base_url, silence = code.base_url or conversations.base_url, conversations.first_token_seconds
    if not base_url:
        silence = max(silence, (code.context_tokens or conversations.context_tokens) / SLOWEST_READING)
    model = code.model or conversations.model
    return conversations.model_copy(
        update={"base_url": base_url, "api_key": api_key, "model": model, "first_token_seconds": silence}
    )
