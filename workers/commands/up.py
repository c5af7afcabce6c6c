"""``june up``: the embedded stack, its progress on the terminal, and its end."""

import asyncio
import json
import logging
import signal
import sys

from rich.console import Console

from workers.local.stack import Embedded, Progress
from workers.settings import TelemetrySettings
from workers.telemetry import configure_logging

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_up(console: Console, *, as_json: bool) -> None:
    """Run the embedded stack until Ctrl-C, SIGTERM, or the terminal is closed.

    Args:
        console: where people read.
        as_json: print one JSON object to stdout when all is ready, and nothing else.

    Raises:
        JuneError: it could not start.

    """
    configure_logging(TelemetrySettings(log_level="WARNING"))
    logging.getLogger("workers.local.supervisor").setLevel(logging.INFO)

    def show_ready(progress: Progress) -> None:
        if not as_json:
            console.print(f"  [green]ready[/green]  {progress.name:<18} {progress.seconds:5.1f} s")

    stack = Embedded(on_ready=show_ready)
    stopped = _cancel_on_signals(console)
    try:
        async with stack:
            if as_json:
                urls = {"web_url": stack.web_url, "ui_url": stack.ui_url, "temporal_address": stack.address}
                sys.stdout.write(json.dumps({"ready": True, **urls, "pids": stack.pids}) + "\n")
                sys.stdout.flush()
            else:
                console.print(f"\njune is up. Talk to it: {stack.web_url}" if stack.web_url else "\njune is up.")
                if stack.ui_url:
                    console.print(f"Look inside: {stack.ui_url}/namespaces/default/workflows")
                if stack.new_keys:
                    console.print(f"All that june stores in Temporal is encrypted. Keep a copy of {stack.new_keys}.")
                console.print(f"Temporal: {stack.address}   Logs: {stack.home / 'logs'}   Stop: Ctrl-C")
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        if not stopped.is_set():
            raise
    if not as_json:
        console.print("stopped")


def _cancel_on_signals(console: Console) -> asyncio.Event:
    """Cancel the current task at the first signal; the next one ends the process, and its children with it."""
    loop, task, stopped = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def on_signal() -> None:
        console.print("stopping...")
        stopped.set()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        if task:
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal)
    return stopped
