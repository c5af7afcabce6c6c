"""One worker process, from start to end: ``python -m workers.process ROLE``."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.worker import Worker

from workers import network
from workers.errors import ExitCode, JuneError, explain
from workers.health import Health, serve_health
from workers.roles.registry import build_spec
from workers.roles.role import Role
from workers.roles.spec import Background, WorkerSpec
from workers.roles.worker import build_worker
from workers.settings import PRIVATE, TelemetrySettings
from workers.telemetry import configure_logging, export_last_spans
from workers.temporal import connect

_log = logging.getLogger(__name__)

SERVER_TIMEOUT_SECONDS = 60.0
"""The server may come up after its workers."""
START_POLL_SECONDS = 0.02
SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_worker(role: Role) -> ExitCode:
    """Run a worker until SIGTERM or SIGINT; then let running activities finish, for a while.

    A second signal ends the process at once. Whoever supervises the process starts it again after an error.

    Raises:
        JuneError: something that the worker needs is missing; the sentence says what.
        Exception: whatever made the worker fail.

    """
    telemetry = TelemetrySettings()
    configure_logging(telemetry)
    health, stop, loop = Health(), asyncio.Event(), asyncio.get_running_loop()

    def on_signal() -> None:
        health.stopping()
        stop.set()
        for number in SIGNALS:  # the next has its default effect
            loop.remove_signal_handler(number)

    async def prepare() -> tuple[Client, WorkerSpec]:
        client = await connect(telemetry, timeout_seconds=SERVER_TIMEOUT_SECONDS, service=f"june-{role.program}")
        return client, await build_spec(role, client)

    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal)
    async with serve_health(health, telemetry):
        prepared = asyncio.create_task(prepare())
        await _first(prepared, stop.wait())
        if stop.is_set():
            prepared.cancel()
        else:
            client, spec = prepared.result()
            await poll(build_worker(role, client, spec), spec.background, lambda: health.serving(client), stop)
    _log.info("worker %s stopped", role.value)
    return ExitCode.OK


async def poll(
    worker: Worker, background: Background | None, on_ready: Callable[[], None], stop: asyncio.Event
) -> None:
    """Poll the queue until told to stop, or until the worker or its background task fails."""
    running = asyncio.create_task(worker.run())
    while not (worker.is_running or running.done()):  # noqa: ASYNC110 - the SDK has no event for it
        await asyncio.sleep(START_POLL_SECONDS)
    on_ready()
    _log.info("worker polls queue %s", worker.task_queue)

    async def run_background() -> None:
        if background:
            await background()
        await asyncio.Event().wait()  # its end is no reason to stop

    try:
        await _first(running, stop.wait(), run_background())
    finally:  # after a failure, too: a worker that is cancelled while its pollers start never ends
        await worker.shutdown()
        await running


async def _first(*waits: Awaitable[Any]) -> None:
    """Wait until one is done, and raise what it raised; coroutines that are not done are cancelled, tasks go on."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending - set(waits):
        task.cancel()
    for task in done:
        task.result()


def main(role: str) -> int:
    """Run the worker of a role, and return the exit code; an expected error becomes one sentence on stderr."""
    os.umask(PRIVATE)
    os.environ.update(network.variables(os.environ))
    try:
        return asyncio.run(run_worker(Role(role)))
    except (JuneError, ValidationError) as error:  # of settings: nothing else is validated before the worker polls
        sentence, code = explain(error)
        sys.stderr.write(f"june: {sentence}\n")
        return code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001 - recorded; whoever supervises the process starts it again
        _log.exception("the worker failed")
        return ExitCode.FAULT


def end_process(code: int) -> None:
    """End this process at once, output and spans sent: the SDK's threads may abort an interpreter that ends in order.

    See temporalio/sdk-python issue 300.
    """
    export_last_spans()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    end_process(main(sys.argv[1]))
