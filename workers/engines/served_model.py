"""What the coding model's server tells of itself: its models, name and version."""

from importlib.metadata import version
from typing import Any

import openai
from openai.types import Model
from temporalio.exceptions import ApplicationError

from activities.benchmarks.pin_model import ServedModel
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from workers.engines.openai_client import build_client
from workers.models.catalogue import entry
from workers.settings import EmbeddedSettings, LlmSettings

NAMED = 5
MAX_SERVER_CHARS = 200


async def find_served(
    settings: LlmSettings, ports: EmbeddedSettings, name: str | None, *, has_model: bool = True
) -> ServedModel:
    """Return the model of this name; None is that of the settings.

    A server that lists no models is taken at its word: it will refuse what it does not have.

    Args:
        settings: of the coding model's server.
        ports: of the embedded one.
        name: that somebody asks for.
        has_model: False where engines do nothing (``JUNE_ENGINES``).

    Raises:
        BadInputError: ``model-refused``, the server has no model of this name.
        ApplicationError: ``model-unavailable``, to be retried.

    """
    wanted = name or settings.model
    if not has_model:
        return ServedModel(name=wanted, server="none")
    async with build_client(settings, ports) as client:
        try:
            served = [model async for model in client.models.list()]
        except (openai.APIConnectionError, openai.InternalServerError) as error:
            message = f"The model's server does not answer: {type(error).__name__}."
            raise ApplicationError(message, type=ErrorCode.MODEL_UNAVAILABLE.value) from error
        except openai.APIError:
            served = []
        names = [model.id for model in served]
        if names and wanted not in names:
            message = f"The model's server has no {wanted}; it has {', '.join(names[:NAMED])}."
            raise BadInputError(ErrorCode.MODEL_REFUSED, message)
        server = await _server(client, served)
    if not settings.base_url:  # whose build does not tell its own version
        server = f"{server}, xllamacpp {version('xllamacpp')}"
    model = None if settings.base_url else entry(wanted)
    sha256 = next((file.sha256 for file in model.files if file.name == model.opens), "") if model else ""
    return ServedModel(name=wanted, sha256=sha256, server=server[:MAX_SERVER_CHARS])


async def _server(client: openai.AsyncOpenAI, served: list[Model]) -> str:
    """Return a server's name and version: as llama.cpp and vLLM tell them, or who its models are owned by."""
    root = client.base_url.copy_with(path="/")
    props = await _ask(client, str(root.join("props")))
    if build := props.get("build_info"):
        return f"llama.cpp {build}"
    if release := (await _ask(client, str(root.join("version")))).get("version"):
        return f"{served[0].owned_by if served else 'server'} {release}"
    return served[0].owned_by if served else ""


async def _ask(client: openai.AsyncOpenAI, url: str) -> dict[str, Any]:
    try:
        answer = await client.get(url, cast_to=object)
    except (openai.APIError, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}
