"""Pinning a model."""

from temporalio.testing import ActivityEnvironment

from activities.benchmarks.pin_model import PinModelActivity, PinModelRequest, ServedModel
from activities.language_model import Sampling


async def find(name: str | None) -> ServedModel:
    return ServedModel(name=name or "own", sha256="1" * 64, server="a server 1")


async def test_what_decides_the_answers_is_told() -> None:
    activity = PinModelActivity(find, Sampling(0.2, 0.9, None), 100)
    own = await ActivityEnvironment().run(activity.pin_model, PinModelRequest())
    assert (own.model, own.sha256, own.server) == ("own", "1" * 64, "a server 1")
    assert (own.top_p, own.top_k, own.thinking_tokens) == (0.9, None, 100)
    assert own.machine
    other = await ActivityEnvironment().run(activity.pin_model, PinModelRequest(model="other"))
    assert other.model == "other"
