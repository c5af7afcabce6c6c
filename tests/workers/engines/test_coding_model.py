"""The agent's model is its own where one is named, and that of conversations elsewhere."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from activities.coding.completion import read_completion
from activities.language_model import ModelRequest
from agent.messages import Message
from agent.prompt import Driver, Window
from tests.support.model_server import ModelServerDouble, model_server, said
from workers.engines.coding_model import CONTEXT_TOKENS, coding_settings, load_coding_model
from workers.engines.noop import NoopModel
from workers.settings import CodeSettings, LlmSettings

OURS, THEIRS = "http://gpu-box:8000/v1", "http://elsewhere:8000/v1"


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


@pytest.mark.parametrize(
    ("code", "url", "key", "model"),
    [
        (CodeSettings(), OURS, "ours", "talker"),
        (CodeSettings(model="coder"), OURS, "ours", "coder"),
        (CodeSettings(base_url=OURS), OURS, "ours", "talker"),
        (CodeSettings(api_key=SecretStr("mine")), OURS, "mine", "talker"),
        (CodeSettings(base_url=THEIRS, model="coder"), THEIRS, "", "coder"),
        (CodeSettings(base_url=THEIRS, api_key=SecretStr("mine")), THEIRS, "mine", "talker"),
    ],
)
def test_what_is_not_set_is_that_of_conversations(code: CodeSettings, url: str, key: str, model: str) -> None:
    conversations = LlmSettings(base_url=OURS, api_key=SecretStr("ours"), model="talker")
    settings = coding_settings(code, conversations)
    assert (settings.base_url, settings.api_key.get_secret_value(), settings.model) == (url, key, model)


def test_a_key_of_conversations_with_the_embedded_server_goes_to_no_other() -> None:
    settings = coding_settings(CodeSettings(base_url=THEIRS), LlmSettings(api_key=SecretStr("of the embedded one")))
    assert settings.api_key.get_secret_value() == ""


@pytest.mark.parametrize(
    ("code", "llm", "seconds"),
    [
        (CodeSettings(), LlmSettings(context_tokens=4000), 200),
        (CodeSettings(context_tokens=2000), LlmSettings(), 100),
        (CodeSettings(), LlmSettings(context_tokens=600, first_token_seconds=70), 70),
        (CodeSettings(base_url=OURS), LlmSettings(context_tokens=4000), 60),
    ],
)
def test_the_embedded_server_may_read_a_whole_window_in_silence(
    code: CodeSettings, llm: LlmSettings, seconds: float
) -> None:
    assert coding_settings(code, llm).first_token_seconds == seconds


@pytest.mark.parametrize(
    ("variables", "driver", "context_tokens"),
    [
        ({}, Driver.TEXT, 4096),
        ({"JUNE_LLM_CONTEXT_TOKENS": "8192"}, Driver.TEXT, 8192),
        ({"JUNE_LLM_BASE_URL": OURS}, Driver.TOOLS, CONTEXT_TOKENS),
        ({"JUNE_CODE_BASE_URL": OURS, "JUNE_CODE_CONTEXT_TOKENS": "65536"}, Driver.TOOLS, 65_536),
        ({"JUNE_CODE_BASE_URL": OURS, "JUNE_CODE_DRIVER": "schema"}, Driver.SCHEMA, CONTEXT_TOKENS),
        ({"JUNE_CODE_DRIVER": "tools"}, Driver.TOOLS, 4096),
    ],
)
def test_the_embedded_server_is_driven_by_a_schema_and_others_by_tools(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], driver: Driver, context_tokens: int
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUNE_CODE_THINKING_TOKENS", "700")
    _, chosen, window = load_coding_model()
    assert (chosen, window) == (driver, Window(context_tokens, 1500, 700))


async def test_the_server_is_asked_with_its_key(monkeypatch: pytest.MonkeyPatch, server: ModelServerDouble) -> None:
    monkeypatch.setenv("JUNE_CODE_BASE_URL", server.url)
    monkeypatch.setenv("JUNE_CODE_MODEL", "coder")
    monkeypatch.setenv("JUNE_CODE_CONTEXT_TOKENS", "9000")
    model, _, window = load_coding_model()
    server.plays(said("Done."))
    request = ModelRequest((Message("user", "Mend it."),), None, 0.2, window.answer_tokens, window.thinking_tokens)
    assert (await read_completion(model, request)).content == "Done."
    assert server.requests[0]["model"] == "coder"
    assert server.requests[0]["max_tokens"] == 1500


def test_without_engines_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_ENGINES", "none")
    model, driver, _ = load_coding_model()
    assert isinstance(model, NoopModel)
    assert driver is Driver.TEXT
