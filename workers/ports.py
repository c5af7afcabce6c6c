"""Ports of this machine: free or not, and who holds them."""

import socket
from collections.abc import Iterable

import psutil

from workers.errors import UnavailableError

LOOPBACK = "127.0.0.1"
PORTS_PER_WORKER = 3
"""Metrics, HTTP health, gRPC health."""


def is_free(port: int) -> bool:
    """Check whether a server could listen on this port of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def holder(port: int) -> psutil.Process | None:
    """Return the process that listens on a port; None where this user may not see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
        pids = [c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port]
        return psutil.Process(pids[0]) if pids and pids[0] else None
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return None


def occupied(port: int, setting: str) -> str:
    """Return the sentence that names the taken port, its holder, and what to change."""
    process = holder(port)
    by = f"process {process.pid} ({process.name()})" if process else "another process"
    return f"Port {port} is taken by {by}: stop it, or set {setting} to another port."


def require_free(ports: Iterable[tuple[str, int]]) -> None:
    """Check the ports that june is about to use, each with the setting that moves it.

    Raises:
        UnavailableError: one of them is taken.

    """
    for setting, port in ports:
        if not is_free(port):
            raise UnavailableError(occupied(port, setting))
