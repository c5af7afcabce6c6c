"""Decode hostile audio in a process of its own: little memory, no open files, no secrets, killed when it takes long.

A thread could be neither stopped nor kept from filling memory; a crash of FFmpeg would take the worker along.
The child stays warm between files (starting one takes about 0.3 s) and ends when its standard input does.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, Any

from activities.audio.decoder_protocol import LENGTHS, send
from activities.error_codes import ErrorCode
from activities.errors import BadInputError

GRACE_SECONDS = 5.0
"""Beyond the budget that ``decode`` keeps by itself; then the child is killed."""
START_SECONDS = 30.0
POLL_MS = 50
MOST_IDLE = 2
_FAULTS = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS}
"""Deaths that the file caused; a killed child (operator, shutdown, out of memory elsewhere) is worth a retry."""


class DecodingStoppedError(Exception):
    """Decoding was given up because its activity was cancelled."""


class Decoder:
    """Warm, confined children that decode; safe to use from several threads, a child for each."""

    def __init__(self) -> None:
        """Start the first child, so that the first message need not wait for it."""
        self._lock = threading.Lock()
        self._idle = [_Child()]

    def decode(
        self, data: bytes, max_seconds: float, budget_seconds: float = 20, stop: threading.Event | None = None
    ) -> bytes:
        """Do ``activities.audio.codec.decode`` in a child; blocks, so call it in a thread.

        Raises:
            BadInputError: as ``decode``; ``audio-unreadable`` also when the file crashed the child or took too long.
            DecodingStoppedError: ``stop`` was set.
            ChildProcessError: the child was killed from outside, or does not start; worth a retry.

        """
        child = None
        with self._lock:
            while self._idle and child is None:
                child = self._idle.pop()
                if not child.alive:
                    child.kill()
                    child = None
        child = child or _Child()
        try:
            return child.decode(data, max_seconds, budget_seconds, stop or threading.Event())
        finally:
            with self._lock:
                kept = child.alive and len(self._idle) < MOST_IDLE
                if kept:
                    self._idle.append(child)
            if not kept:
                child.kill()

    def close(self) -> None:
        """End the idle children."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.kill()


class _Child:
    """One confined process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "activities.audio.decoder_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Tokens stay here; numpy mixes channels and needs no pool of threads for that.
            env={"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry), "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C in a terminal is for the worker, which ends it in its own time
        )
        self._ready = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def decode(self, data: bytes, max_seconds: float, budget_seconds: float, stop: threading.Event) -> bytes:
        try:
            if not self._ready:
                self._receive(time.monotonic() + START_SECONDS, stop)
                self._ready = True
            head = {"max_seconds": max_seconds, "budget_seconds": budget_seconds}
            send(_pipe(self._process.stdin), head, data)
            reply, pcm = self._receive(time.monotonic() + budget_seconds + GRACE_SECONDS, stop)
        except (EOFError, BrokenPipeError):
            status = self._process.wait()
            if self._ready and -status in _FAULTS:
                message = f"The audio crashed its decoder (signal {-status})."
                raise BadInputError(ErrorCode.AUDIO_UNREADABLE, message) from None
            raise ChildProcessError(f"The audio decoder ended with status {status}.") from None
        if "code" in reply:
            raise BadInputError(ErrorCode(reply["code"]), reply["message"], **reply["params"])
        return pcm

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # what was not written yet is not wanted any more
            _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()

    def _receive(self, deadline: float, stop: threading.Event) -> tuple[dict[str, Any], bytes]:
        head_length, length = LENGTHS.unpack(self._read(LENGTHS.size, deadline, stop))
        head = json.loads(self._read(head_length, deadline, stop))
        return head, self._read(length, deadline, stop)

    def _read(self, length: int, deadline: float, stop: threading.Event) -> bytes:
        """Read exactly so many bytes, unless time is up or the work is given up: then kill."""
        descriptor = _pipe(self._process.stdout).fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        data = bytearray()
        while len(data) < length:
            if poll.poll(POLL_MS):
                part = os.read(descriptor, length - len(data))
                if not part:
                    raise EOFError
                data += part
            elif stop.is_set() or time.monotonic() > deadline:
                self.kill()
                if stop.is_set():
                    raise DecodingStoppedError
                raise BadInputError(ErrorCode.AUDIO_UNREADABLE, "The audio takes more time than any recording does.")
        return bytes(data)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("the process was started without pipes")
    return stream
