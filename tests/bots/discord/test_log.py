"""What discord.py logs of ordinary events: one line, no traceback, no token."""

import logging

import discord
import pytest

from bots.discord.log import LOGGERS, OneLine, calm, log_failure

API = "https://discord.com/api/v10"


@pytest.fixture(autouse=True)
def _calm(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    calm()
    calm()


def test_each_logger_has_one_filter() -> None:
    for name in LOGGERS:
        assert len([known for known in logging.getLogger(name).filters if isinstance(known, OneLine)]) == 1


@pytest.mark.parametrize(
    ("name", "level", "text", "arguments", "as_level", "has"),
    [
        (
            "discord.http", logging.WARNING,
            "We are being rate limited. %s %s responded with 429. Retrying in %.2f seconds.",
            ("POST", f"{API}/channels/1/messages", 1.5), "INFO", "/channels/1/messages responded with 429",
        ),
        (
            "discord.http", logging.WARNING,
            "We are being rate limited. %s %s responded with 429. Timeout of %.2f was too long, erroring instead.",
            ("POST", f"{API}/webhooks/1002/secret-token", 99.0), "INFO", "/webhooks/1002/…",
        ),
        (
            "discord.webhook.async", logging.WARNING,
            "Webhook ID %s is rate limited. Retrying in %.2f seconds.", (1002, 1.5), "INFO", "1.50 seconds",
        ),
        (
            "discord.gateway", logging.WARNING,
            "Shard ID %s heartbeat blocked for more than %s seconds.\nLoop thread traceback:\nsecret-token",
            (None, 10), "WARNING", "blocked for more than 10 seconds",
        ),
        ("discord.state", logging.WARNING, "Timed out waiting for chunks", (), "WARNING", "Timed out"),
    ],
)  # fmt: skip
def test_a_pause_is_one_line_that_says_what_happens_next(
    caplog: pytest.LogCaptureFixture,
    name: str,
    level: int,
    text: str,
    arguments: tuple[object, ...],
    as_level: str,
    has: str,
) -> None:
    logging.getLogger(name).log(level, text, *arguments)
    (record,) = caplog.records
    assert (record.levelname, has in record.message, "\n" in record.message) == (as_level, True, False)
    assert "secret-token" not in record.message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("discord.client", "Attempting a reconnect in %.2fs"),
        ("discord.gateway", "An error occurred while stopping the gateway in %.2f s. Ignoring."),
        ("discord.state", "Exception occurred during %s"),
    ],
)
def test_a_connection_that_was_lost_has_a_cause_and_no_traceback(
    caplog: pytest.LogCaptureFixture, name: str, text: str
) -> None:
    try:
        raise ConnectionResetError(104, "reset by peer")  # noqa: TRY301 - a record needs one that was raised
    except ConnectionResetError:
        logging.getLogger(name).exception(text, 1.0)
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert "reset by peer" in record.message


def test_what_a_record_below_the_level_becomes_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("discord.client").warning("PyNaCl is not installed, voice will NOT be supported")
    assert not caplog.records


def test_a_fault_of_june_s_own_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("june")
    log_failure(logger, "it failed", KeyError("x"), (discord.DiscordException,))
    log_failure(logger, "it failed", discord.ClientException("gone"), (discord.DiscordException,))
    assert [(record.levelname, bool(record.exc_info)) for record in caplog.records] == [
        ("ERROR", True),
        ("WARNING", False),
    ]
