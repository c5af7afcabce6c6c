"""Ports for what tests start."""

from workers.local.free_ports import own_web


def free_port() -> int:
    """Choose a port that is free now, and that the kernel gives to no outgoing connection meanwhile."""
    return own_web().port
