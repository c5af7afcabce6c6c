"""The coding agent's model: settings of its own, or the server and model of conversations."""

from activities.language_model import LanguageModel
from agent.prompt import Driver, Window
from workers.engines.noop import NoopModel
from workers.engines.openai_chat import OpenAIChat
from workers.engines.openai_client import build_client
from workers.settings import CodeSettings, EmbeddedSettings, LlmSettings, WorkerSettings

CONTEXT_TOKENS = 32_768
"""Of a server that is not the embedded one, where nothing else is set."""


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
    driver = Driver(code.driver) if code.driver != "auto" else Driver.SCHEMA if embedded else Driver.TOOLS
    if not WorkerSettings().has_model:
        return NoopModel(), driver, window
    # Of a server that is not embedded, the window is asked where it is not set: a prompt may not be cut in silence.
    tokens = window.context_tokens if embedded else code.context_tokens or None
    model = OpenAIChat(build_client(llm, EmbeddedSettings()), llm.model, code.first_token_seconds, tokens)
    return model, driver, window


def coding_settings(code: CodeSettings, conversations: LlmSettings) -> LlmSettings:
    """Return the settings of the agent's server; a key goes to no server but the one that it is for."""
    elsewhere = bool(code.base_url) and code.base_url != conversations.base_url
    api_key = code.api_key if code.api_key.get_secret_value() or elsewhere else conversations.api_key
    return conversations.model_copy(
        update={
            "base_url": code.base_url or conversations.base_url,
            "api_key": api_key,
            "model": code.model or conversations.model,
            "first_token_seconds": code.first_token_seconds,
        }
    )
