"""Ports that are free now, for a stack beside another (tests, benchmarks)."""

import random

from workers.ports import PORTS_PER_WORKER, is_free
from workers.roles.role import Role
from workers.settings import EmbeddedSettings, WebSettings


def own_ports() -> EmbeddedSettings:
    """Choose ports that are free now, for a stack beside another (tests, benchmarks)."""
    first = free_ports(2 + PORTS_PER_WORKER * len(Role))
    return EmbeddedSettings(temporal_port=first, ui_port=first + 1, worker_port_base=first + 2)


def own_web() -> WebSettings:
    """Choose a port that is free now for the web page of a stack beside another."""
    return WebSettings(port=free_ports(1))


def free_ports(count: int) -> int:
    """Return the first of so many free ports in a row, below those that the kernel gives to outgoing connections."""
    while True:
        first = random.randrange(20_000, 32_000)  # noqa: S311 - no secret
        if all(is_free(port) for port in range(first, first + count)):
            return first
