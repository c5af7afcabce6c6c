"""What is fixed about each role, as operators, containers and the supervisor rely on it."""

from importlib.util import find_spec

import pytest

from workers.roles.role import BOTS, FACTS, OPTIONAL, Role
from workers.settings import secret_names


@pytest.mark.parametrize("role", Role)
def test_each_role_has_its_facts_and_its_module(role: Role) -> None:
    assert role in FACTS
    assert find_spec(f"workers.roles.{role.value}") is not None
    assert set(role.secrets) <= secret_names()
    assert 0 < role.niceness < 20


def test_no_two_roles_share_a_queue() -> None:
    assert len({role.queue for role in Role}) == len(Role)


def test_programs_are_named_as_the_commands_that_run_them() -> None:
    assert (Role.GPU.program, Role.WEB.program, Role.TESTS.program) == ("worker-gpu", "bot-web", "worker-tests")


def test_bots_are_optional_and_hold_a_secret() -> None:
    assert BOTS == (Role.TELEGRAM, Role.DISCORD, Role.WEB)
    assert {*BOTS, Role.SANDBOX, Role.TESTS} == set(OPTIONAL)
    assert all(role.secrets for role in BOTS)
