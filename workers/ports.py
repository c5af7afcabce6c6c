"""Ports of this machine: free or not, and who holds them."""

import socket
from collections.abc import Collection, Iterable

import psutil

from workers.errors import HomeFault, UnavailableError

LOOPBACK = "127.0.0.1"
PORTS_PER_WORKER = 3
"""Metrics, HTTP health, gRPC health."""
REFUSED_BY_BROWSERS = (6665, 6666, 6667, 6668, 6669, 6697, 10080, 6566, 1719, 1720, 1723, 3659, 5060, 5061, 4045)
"""Ports to which no browser connects, whatever a page asks for and whatever its name leads to.

They are of the "bad ports" of the Fetch standard (https://fetch.spec.whatwg.org/#port-blocking), which Chromium,
Firefox and Safari have alike; of those that need no rights, all but X11's and NFS's, which machines may need.
"""


def is_free(port: int) -> bool:
    """Check whether a server could listen on this port of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def hold_refused_port(wanted_otherwise: Collection[int] = ()) -> tuple[int, socket.socket] | None:
    """Choose a port that browsers refuse and that is free now; None where all are taken.

    Returns:
        The port, for a program that starts a moment later, and what keeps other processes that ask by this function
        from it for as long as it is not closed.

    """
    for port in REFUSED_BY_BROWSERS:
        if port not in wanted_otherwise and is_free(port):
            mark = socket.socket(socket.AF_UNIX)
            try:
                mark.bind(f"\0june/port/{port}")  # a name without a file, gone when its process is
            except OSError:
                mark.close()
            else:
                return port, mark
    return None


def listening(pid: int) -> list[int]:
    """Return the TCP ports that a process listens on; none where it has ended, or this user may not see it."""
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return []
    return sorted({c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN and c.laddr})


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
            raise UnavailableError(occupied(port, setting), HomeFault.PORT_TAKEN)
