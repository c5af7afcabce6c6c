"""One worker process, from start to end: ``python -m workers.process ROLE``."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable
from typing import Any

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.worker import Worker

from workers.errors import ExitCode, JuneError, settings_sentence
from workers.health import Health, serve_health
from workers.roles.registry import build_spec
from workers.roles.role import Role
from workers.roles.spec import WorkerSpec
from workers.roles.worker import build_worker
from workers.settings import TelemetrySettings
from workers.telemetry import configure_logging
from workers.temporal import connect

_log = logging.getLogger(__name__)

SERVER_TIMEOUT_SECONDS = 60.0
"""The server may come up after its workers."""
START_POLL_SECONDS = 0.02


async def run_worker(role: Role) -> ExitCode:
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
        prepared = asyncio.create_task(_prepare(role, telemetry))
        await _first(prepared, stop.wait())
        if stop.is_set():
            prepared.cancel()
        else:
            client, spec = prepared.result()
            await _serve(build_worker(role, client, spec), spec, client, health, stop)
    _log.info("worker %s stopped", role.value)
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


async def _prepare(role: Role, telemetry: TelemetrySettings) -> tuple[Client, WorkerSpec]:
    """Connect, load engines, warm them."""
    client = await connect(telemetry, timeout_seconds=SERVER_TIMEOUT_SECONDS, service=f"june-{role.program}")
    return client, await build_spec(role, client)


async def _serve(worker: Worker, spec: WorkerSpec, client: Client, health: Health, stop: asyncio.Event) -> None:
    """Poll until told to stop, or until the worker or its background task fails."""
    running = asyncio.create_task(worker.run())
    while not (worker.is_running or running.done()):  # noqa: ASYNC110 - the SDK has no event for it
        await asyncio.sleep(START_POLL_SECONDS)
    health.serving(client)
    _log.info("worker polls queue %s", worker.task_queue)
    try:
        await _first(running, stop.wait(), _background(spec))
    finally:  # after a failure, too: a worker that is cancelled while its pollers start never ends
        await worker.shutdown()
        await running


async def _background(spec: WorkerSpec) -> None:
    """Run the background task; return only if it fails."""
    if spec.background:
        await spec.background()
    await asyncio.Event().wait()


async def _first(*waits: Awaitable[Any]) -> None:
    """Wait until one is done, and raise what it raised; waits that only this call knows are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending - set(waits):
        task.cancel()
    for task in done:
        task.result()


def main(role: str) -> int:
    """Run the worker of a role; expected errors become one sentence on stderr."""
    try:
        return asyncio.run(run_worker(Role(role)))
    except JuneError as error:
        sys.stderr.write(f"june: {error}\n")
        return error.exit_code
    except ValidationError as error:  # of settings: nothing else is validated before the worker polls
        sys.stderr.write(f"june: {settings_sentence(error)}\n")
        return ExitCode.FAULT
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001 - recorded; whoever supervises the process starts it again
        _log.exception("the worker failed")
        return ExitCode.FAULT


def end_process(code: int) -> None:
    """End this process at once, its output written: the SDK's threads may abort an interpreter that ends in order.

    See temporalio/sdk-python issue 300.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    end_process(main(sys.argv[1]))
