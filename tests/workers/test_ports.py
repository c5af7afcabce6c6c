"""A taken port is told with its holder and what to change."""

import os
import socket

import pytest

from tests.support.ports import free_port
from workers.errors import UnavailableError
from workers.ports import is_free, require_free


def test_a_free_port_is_free() -> None:
    assert is_free(free_port())


def test_a_taken_port_names_setting_and_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        message = rf"Port {port} is taken by process {os.getpid()} \(.+\): stop it, or set JUNE_X to another port\."
        with pytest.raises(UnavailableError, match=message):
            require_free([("JUNE_Y", free_port()), ("JUNE_X", port)])
