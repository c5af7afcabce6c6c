"""The confined decoding process: kept warm, killed in time, replaced."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from activities.audio.decoder import Decoder, DecodingStoppedError
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from tests.support import audio_samples as make

pytestmark = pytest.mark.slow

GOOD = make.wav(make.tone(1))


@pytest.fixture(scope="module")
def busy() -> bytes:
    """Make a file that takes a while to decode."""
    return make.opus_bomb(8.5)


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


def child() -> psutil.Process:
    """Find the decoding process; other tests' may not have ended yet."""
    decoding = [one for one in psutil.Process().children() if "activities.audio.decoder_process" in one.cmdline()]
    return max(decoding, key=psutil.Process.create_time)


def test_one_process_serves_file_after_file(decoder: Decoder) -> None:
    assert len(decoder.decode(GOOD, 10)) == 32_000
    first = child().pid
    with pytest.raises(BadInputError) as caught:
        decoder.decode(b"not audio", 10)
    assert caught.value.type == ErrorCode.AUDIO_UNREADABLE
    with pytest.raises(BadInputError) as caught:
        decoder.decode(GOOD, 0.5)
    assert caught.value.details == ({"limit_seconds": 0.5},)
    assert caught.value.non_retryable
    assert len(decoder.decode(GOOD, 10)) == 32_000
    assert child().pid == first


def test_it_holds_no_secret_and_opens_nothing(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_TELEGRAM_TOKEN", "secret")
    decoder.close()
    decoder.decode(GOOD, 10)
    assert "JUNE_TELEGRAM_TOKEN" not in child().environ()
    limits = Path(f"/proc/{child().pid}/limits").read_text().splitlines()
    assert any(line.split()[:4] == ["Max", "open", "files", "3"] for line in limits)
    assert "temporal" not in Path(f"/proc/{child().pid}/maps").read_text()


def test_a_crash_is_the_file_s_fault_and_the_next_file_is_decoded(decoder: Decoder, busy: bytes) -> None:
    decoder.decode(GOOD, 10)
    with (
        during_decode(lambda pid: os.kill(pid, signal.SIGSEGV)),
        pytest.raises(BadInputError, match="crashed") as caught,
    ):
        decoder.decode(busy, 30_000)
    assert caught.value.type == ErrorCode.AUDIO_UNREADABLE
    assert len(decoder.decode(GOOD, 10)) == 32_000


def test_a_kill_from_outside_is_worth_a_retry(decoder: Decoder, busy: bytes) -> None:
    decoder.decode(GOOD, 10)
    with during_decode(lambda pid: os.kill(pid, signal.SIGKILL)), pytest.raises(ChildProcessError):
        decoder.decode(busy, 30_000)
    assert len(decoder.decode(GOOD, 10)) == 32_000


def test_a_process_killed_while_idle_is_replaced(decoder: Decoder) -> None:
    decoder.decode(GOOD, 10)
    dead = child()
    dead.kill()
    dead.wait(5)
    assert len(decoder.decode(GOOD, 10)) == 32_000


def test_a_stop_ends_decoding_at_once(decoder: Decoder, busy: bytes) -> None:
    decoder.decode(GOOD, 10)
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    begin = time.monotonic()
    with pytest.raises(DecodingStoppedError):
        decoder.decode(busy, 30_000, stop=stop)
    assert time.monotonic() - begin < 10  # of the minutes that all of it takes


def test_a_hang_is_killed(decoder: Decoder, busy: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.audio.decoder.GRACE_SECONDS", 0.1)
    decoder.decode(GOOD, 10)
    with during_decode(lambda pid: os.kill(pid, signal.SIGSTOP)), pytest.raises(BadInputError, match="more time"):
        decoder.decode(busy, 30_000, budget_seconds=0.2)
    assert len(decoder.decode(GOOD, 10)) == 32_000


class during_decode:  # noqa: N801
    """Do something to the decoding process a moment after the block has begun."""

    def __init__(self, act: Callable[[int], None]) -> None:
        self._timer = threading.Timer(0.1, act, [child().pid])

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.join()
