"""Who may do what: closed unless somebody is named, owners above all, what they said last above the settings."""

import pytest

from bots.access import Admission, Policy, Role
from workflows.access.contracts import AccessView, Permission

POLICY = Policy(
    owners=frozenset({"owner"}), users=frozenset({"ada"}), groups=frozenset({"-1"}), open_groups=frozenset({"-2"})
)


def role(
    user: str, group: str | None = None, said: dict[str, Permission] | None = None, policy: Policy = POLICY
) -> Role:
    return Admission(policy, AccessView(standings=said or {})).role(user, group)


@pytest.mark.parametrize("user", ["", "ada", "owner"])
def test_it_is_closed_to_everybody_by_default(user: str) -> None:
    assert role(user, policy=Policy()) is Role.STRANGER
    assert role(user, "-1", policy=Policy()) is Role.STRANGER


def test_the_settings_let_in() -> None:
    assert role("owner") is Role.OWNER
    assert role("ada") is Role.GUEST
    assert role("bob") is Role.STRANGER
    assert role("bob", "-1") is role("bob", "-2") is Role.GUEST, "members of a group that is let in"
    assert role("bob", "-3") is Role.STRANGER
    assert role("anybody", policy=Policy(everyone=True)) is Role.GUEST


def test_owners_let_in() -> None:
    assert role("bob", None, {"bob": Permission.ALLOWED}) is Role.GUEST
    assert role("bob", "g", {"g": Permission.ALLOWED}) is role("bob", "g", {"g": Permission.OPEN}) is Role.GUEST
    assert role("bob", None, {"g": Permission.ALLOWED}) is Role.STRANGER, "in private a group does not count"


def test_owners_shut_out_whomever_the_settings_let_in() -> None:
    assert role("ada", None, {"ada": Permission.DENIED}) is Role.STRANGER
    assert role("ada", None, {"ada": Permission.BLOCKED}) is Role.BLOCKED
    assert role("ada", "-1", {"ada": Permission.BLOCKED}) is Role.BLOCKED
    assert role("bob", "-1", {"-1": Permission.DENIED}) is Role.STRANGER
    assert role("anybody", said={"anybody": Permission.BLOCKED}, policy=Policy(everyone=True)) is Role.BLOCKED


def test_what_is_denied_to_one_of_person_and_group_is_denied() -> None:
    assert role("bob", "g", {"bob": Permission.BLOCKED, "g": Permission.OPEN}) is Role.BLOCKED
    assert role("bob", "g", {"bob": Permission.ALLOWED, "g": Permission.DENIED}) is Role.STRANGER


def test_an_owner_cannot_be_shut_out() -> None:
    assert role("owner", None, {"owner": Permission.BLOCKED}) is Role.OWNER
    assert role("owner", "g", {"g": Permission.BLOCKED}) is Role.OWNER


@pytest.mark.parametrize(
    ("group", "standing", "all_answered"),
    [
        ("-2", None, True),
        ("-2", Permission.ALLOWED, False),
        ("-1", None, False),
        ("-1", Permission.OPEN, True),
        ("-9", None, False),
    ],
)
def test_open_groups(group: str, standing: Permission | None, all_answered: bool) -> None:
    said = {group: standing} if standing else {}
    assert Admission(POLICY, AccessView(standings=said)).answers_all(group) is all_answered


async def test_members_of_a_server_are_admitted_and_a_channel_is_opened() -> None:
    admission = Admission(Policy(groups=frozenset({"10"}), open_groups=frozenset({"21"})), AccessView())
    assert [admission.role("1", "10", "20"), admission.role("1", "11", "21")] == [Role.GUEST, Role.GUEST]
    assert admission.role("1", "11", "20") is Role.STRANGER
    assert [admission.answers_all("20", "10"), admission.answers_all("99", "21", "11")] == [False, True]
    said = Admission(Policy(open_groups=frozenset({"10"})), AccessView(standings={"20": Permission.ALLOWED}))
    assert [said.answers_all("20", "10"), said.answers_all("30", "10")] == [False, True], "the narrowest decides"
