"""Ports for a stack beside another."""

import socket

import pytest

from workers.local.free_ports import own_ports, own_web
from workers.local.programs import Programs
from workers.ports import is_free
from workers.roles.role import OPTIONAL
from workers.settings import LlmSettings, StorageSettings, WorkerSettings


def test_every_port_of_a_stack_is_free_and_used_once() -> None:
    programs = Programs(StorageSettings(), own_ports(), LlmSettings(), WorkerSettings(), own_web(), OPTIONAL)
    ports = [port for _, port in programs.port_settings()]
    assert len(set(ports)) == len(ports)
    assert all(map(is_free, ports))


def test_ports_are_below_those_of_outgoing_connections() -> None:
    assert all(20_000 <= own_web().port < 32_000 for _ in range(20))


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    free = own_web().port
    with socket.create_server(("127.0.0.1", 0)) as server:
        offers = iter([server.getsockname()[1], free])
        monkeypatch.setattr("workers.local.free_ports.random.randrange", lambda *_: next(offers))
        assert own_web().port == free
