"""What june says at once waits its turn, in order, for a while, and is never sent twice."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.values import Address
from bots.telegram import answers
from bots.telegram.answers import Answers
from tests.support.logs import june_records


class Telegram:
    """Sends, or fails as it is told to."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.tries = 0
        self.sent: list[tuple[str, str]] = []

    async def say(self, to: Address, sentence: str) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((to.chat, sentence))


@pytest.fixture
def telegram() -> Telegram:
    return Telegram()


@pytest.fixture
def sending(telegram: Telegram, monkeypatch: pytest.MonkeyPatch) -> Answers:
    monkeypatch.setattr(answers, "FIRST_PAUSE_SECONDS", 0.01)
    return Answers(telegram.say)


def to(chat: str = "5") -> Address:
    return Address(platform="telegram", chat=chat, message="1")


def pause(seconds: float) -> ApplicationError:
    return ApplicationError("wait", next_retry_delay=timedelta(seconds=seconds))


async def test_a_pause_is_waited_for_in_order(telegram: Telegram, sending: Answers) -> None:
    telegram.failures = [pause(0.05), pause(0.05)]
    for sentence in ("one", "two", "three"):
        sending.send(to(), sentence)
    await sending.settle()
    assert telegram.sent == [("5", "one"), ("5", "two"), ("5", "three")]
    assert telegram.tries == 5


async def test_a_network_that_is_away_is_tried_again(telegram: Telegram, sending: Answers) -> None:
    telegram.failures = [ApplicationError("not reached") for _ in range(3)]
    sending.send(to(), "one")
    await sending.settle()
    assert telegram.sent == [("5", "one")]


async def test_chats_do_not_wait_for_each_other(telegram: Telegram, sending: Answers) -> None:
    telegram.failures = [pause(0.2)]
    for chat in ("5", "6"):
        sending.send(to(chat), "one")
    await sending.settle()
    assert telegram.sent == [("6", "one"), ("5", "one")]


@pytest.mark.parametrize(
    "error", [pause(1000), ApplicationError("blocked", non_retryable=True), RuntimeError("it may have arrived")]
)
async def test_what_cannot_be_sent_is_told_in_the_log_and_holds_up_nothing(
    telegram: Telegram, sending: Answers, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.failures = [error]
    for sentence in ("one", "two"):
        sending.send(to(), sentence)
    await sending.settle()
    assert telegram.sent == [("5", "two")]
    (record,) = june_records(caplog)
    assert (record.levelname, record.exc_info) == ("WARNING", None)


async def test_an_end_amid_a_pause(telegram: Telegram, sending: Answers) -> None:
    telegram.failures = [pause(100)]
    sending.send(to(), "one")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sending.settle(), 0.05)
    assert (telegram.sent, sending._waiting) == ([], {})
