"""One worker process, from start to end."""

import asyncio
import logging
import signal
from collections.abc import Awaitable
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from workers.connection import connect
from workers.errors import ExitCode
from workers.health import Health, serve_health
from workers.kinds import Kind
from workers.registry import BUILDERS, build_worker
from workers.settings import TelemetrySettings
from workers.telemetry import configure_logging
from workers.work import Work

_log = logging.getLogger(__name__)

SERVER_PATIENCE_SECONDS = 60.0
"""The server may come up after its workers."""
START_POLL_SECONDS = 0.02


async def run_worker(kind: Kind) -> ExitCode:
    """Run a worker until SIGTERM or SIGINT; then let running activities finish, for a while.

    A second signal ends the process at once. Whoever supervises the process starts it again after an error.

    Raises:
        JuneError: something that the worker needs is missing; the sentence says what.
        Exception: whatever made the worker fail.

    """
    telemetry = TelemetrySettings()
    configure_logging(telemetry)
    health = Health()
    stop = _stop_on_signals(health)
    async with serve_health(health, telemetry):
        prepared = asyncio.create_task(_prepare(kind, telemetry))
        await _first(prepared, stop.wait())
        if stop.is_set():
            prepared.cancel()
        else:
            client, work = prepared.result()
            await _work(build_worker(kind, client, work), work, client, health, stop)
    _log.info("worker %s stopped", kind.value)
    return ExitCode.OK


def _stop_on_signals(health: Health) -> asyncio.Event:
    """Set the event at the first signal; the next has its default effect."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def on_signal() -> None:
        health.stopping()
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    return stop


async def _prepare(kind: Kind, telemetry: TelemetrySettings) -> tuple[Client, Work]:
    """Connect, load engines, warm them."""
    service = f"june-{kind.program}"
    client = await connect(telemetry, patience_seconds=SERVER_PATIENCE_SECONDS, service=service)
    return client, await BUILDERS[kind](client)


async def _work(worker: Worker, work: Work, client: Client, health: Health, stop: asyncio.Event) -> None:
    """Poll until told to stop, or until the worker or its chore fails."""
    running = asyncio.create_task(worker.run())
    while not (worker.is_running or running.done()):  # noqa: ASYNC110 - the SDK has no event for it
        await asyncio.sleep(START_POLL_SECONDS)
    health.serving(client)
    _log.info("worker polls queue %s", worker.task_queue)
    try:
        await _first(running, stop.wait(), _beside(work))
    finally:  # after a failed chore, too: a worker that is cancelled while its pollers start never ends
        await worker.shutdown()
        await running


async def _beside(work: Work) -> None:
    """Do the chore, if any; then wait, as only a failure of it is a reason to end."""
    if work.chore:
        await work.chore()
    await asyncio.Event().wait()


async def _first(*waits: Awaitable[Any]) -> None:
    """Wait until one is done, and raise what it raised; waits that only this call knows are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending - set(waits):
        task.cancel()
    for task in done:
        task.result()
