"""A taken port is told with its holder and what to change."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.support.ports import free_port
from workers.errors import UnavailableError
from workers.ports import REFUSED_BY_BROWSERS, hold_refused_port, is_free, listening, require_free


def test_a_free_port_is_free() -> None:
    assert is_free(free_port())


def test_a_taken_port_names_setting_and_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        message = rf"Port {port} is taken by process {os.getpid()} \(.+\): stop it, or set JUNE_X to another port\."
        with pytest.raises(UnavailableError, match=message):
            require_free([("JUNE_Y", free_port()), ("JUNE_X", port)])


def test_a_port_that_browsers_refuse_is_held_by_one() -> None:
    others, wanted = REFUSED_BY_BROWSERS[:-2], set(REFUSED_BY_BROWSERS[-2:])  # stacks take the first
    with ExitStack() as held:
        chosen = []
        while found := hold_refused_port(others):
            chosen.append(found[0])
            held.enter_context(found[1])
            assert is_free(found[0])
        assert len(set(chosen)) == len(chosen) > 0
        assert set(chosen) <= wanted
    again = hold_refused_port(others)
    assert again
    again[1].close()


def test_a_refused_port_that_is_taken_is_passed_over() -> None:
    found = hold_refused_port()
    assert found
    with found[1], socket.create_server(("127.0.0.1", found[0])):
        found[1].close()
        other = hold_refused_port()
        assert other
        with other[1]:
            assert other[0] != found[0]


def test_what_a_process_listens_on_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockname()[1] in listening(os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert listening(ended.pid) == []
