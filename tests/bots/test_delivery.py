"""What becomes of a message that was not taken: by the status of Temporal's answer, and by the fault of june's own."""

import logging
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from bots import delivery
from bots.delivery import DROPPED, OPERATORS, TRIES, Delivery, DroppedError, TryAgainError, is_final
from tests.support.logs import june_records

FINAL = {
    (RPCStatusCode.INVALID_ARGUMENT, "Blob data size exceeds limit."),
    (RPCStatusCode.OUT_OF_RANGE, "Error, encoded message length too large"),
    (RPCStatusCode.RESOURCE_EXHAUSTED, "grpc: received message larger than max (5000000 vs. 4194304)"),
    (RPCStatusCode.RESOURCE_EXHAUSTED, "grpc: received message after decompression larger than max 4194304"),
}
PASSING = {(status, "scripted") for status in RPCStatusCode} - {
    (status, "scripted") for status in (RPCStatusCode.OK, RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE)
}


def raises(*errors: Exception) -> Callable[[], Awaitable[str]]:
    """Build what raises an error a try, and then succeeds."""
    left = list(errors)

    async def receive() -> str:
        if left:
            raise left.pop(0)
        return "taken"

    return receive


@pytest.mark.parametrize(("status", "message"), sorted(FINAL))
async def test_what_the_server_never_takes_is_dropped_at_once(
    status: RPCStatusCode, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DroppedError):
        await Delivery().attempt(17, raises(RPCError(message, status, b"")))
    (record,) = june_records(caplog)
    assert record.levelno == logging.ERROR
    assert record.message.startswith(f"{DROPPED}: message 17 ")


@pytest.mark.parametrize(("status", "message"), sorted(PASSING))
async def test_all_else_is_tried_again_without_end(
    status: RPCStatusCode, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    platform, receive = Delivery(), raises(*[RPCError(message, status, b"")] * 9)
    for _ in range(9):
        with pytest.raises(TryAgainError):
            await platform.attempt(17, receive)
    assert await platform.attempt(17, receive) == "taken"
    assert {record.levelno for record in june_records(caplog)} == {
        logging.ERROR if status in OPERATORS else logging.WARNING
    }, "an operator has to act, or has not"


async def test_a_message_over_the_limits_of_the_server_is_final(dev_server: WorkflowEnvironment) -> None:
    for size in (2_100_000, 4_300_000):  # over Temporal's limit of a payload, and over gRPC's of a message
        with pytest.raises(RPCError) as refused:
            await dev_server.client.start_workflow(
                "X", id=str(uuid4()), task_queue=str(uuid4()), start_signal="s", start_signal_args=["x" * size]
            )
        assert is_final(refused.value), refused.value


async def test_a_fault_of_june_is_tried_a_few_times() -> None:
    platform, receive = Delivery(), raises(*[ValueError("bad")] * TRIES)
    for _ in range(TRIES - 1):
        with pytest.raises(TryAgainError):
            await platform.attempt("a", receive)
        with pytest.raises(TryAgainError):
            await platform.attempt("b", raises(ValueError("another's")))
        assert await platform.attempt("b", raises()) == "taken"
    with pytest.raises(DroppedError):
        await platform.attempt("a", receive)
    with pytest.raises(TryAgainError):
        await platform.attempt("a", raises(ValueError("counted from the beginning")))


async def test_a_missing_key_holds_messages_back_and_drops_none() -> None:
    platform = Delivery()
    for _ in range(TRIES + 1):
        with pytest.raises(TryAgainError):
            await platform.attempt("a", raises(ApplicationError("no key", type="key-unknown")))
    assert await platform.attempt("a", raises()) == "taken"


async def test_what_is_remembered_of_faults_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FAULTS_REMEMBERED", 2)
    platform = Delivery()
    for number in range(5):
        with pytest.raises(TryAgainError):
            await platform.attempt(number, raises(ValueError("bad")))
    assert list(platform._faults) == [3, 4]
