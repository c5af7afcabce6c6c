"""Who may talk: what the settings say, and over it what owners have said since, kept by the workflow Access."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from workflows.access.contracts import AccessState, AccessView, Arrival, Permission
from workflows.names import ACCESS, ACCESS_MEMO, PLATFORM, WORKFLOW_QUEUE, access_id


class Role(Enum):
    """What the sender of a message may do."""

    OWNER = "owner"
    GUEST = "guest"
    """May talk."""
    STRANGER = "stranger"
    """May not, and is told so."""
    BLOCKED = "blocked"
    """May not, and gets no answer."""


@dataclass(frozen=True)
class Policy:
    """Who may talk as the settings say, by the platform's ids; closed unless somebody is named."""

    owners: frozenset[str] = field(default_factory=frozenset)
    users: frozenset[str] = field(default_factory=frozenset)
    groups: frozenset[str] = field(default_factory=frozenset)
    open_groups: frozenset[str] = field(default_factory=frozenset)
    """Groups in which every message is answered."""
    everyone: bool = False
    """Whoever reaches the platform's inbox at all (the web page, which has a lock of its own)."""


@dataclass(frozen=True)
class Admission:
    """What a platform's people and groups are permitted at one moment."""

    policy: Policy
    view: AccessView

    def role(self, user: str, *groups: str | None) -> Role:
        """Return what a person may do, in a group (and a place in it), or (None) in private.

        What owners said last comes first.
        """
        if user in self.policy.owners:
            return Role.OWNER
        said = [self.view.standings.get(name) for name in (user, *groups) if name]
        if Permission.BLOCKED in said:
            return Role.BLOCKED
        if Permission.DENIED in said:
            return Role.STRANGER
        allowed = (
            self.policy.everyone
            or user in self.policy.users
            or set(groups) & (self.policy.groups | self.policy.open_groups)
            or {Permission.ALLOWED, Permission.OPEN} & set(said)
        )
        return Role.GUEST if allowed else Role.STRANGER

    def answers_all(self, *groups: str) -> bool:
        """Check whether every message is answered here; of a place and the group around it, the first decides."""
        for group in groups:
            standing = self.view.standings.get(group)
            if standing or group in self.policy.open_groups:
                return standing in {None, Permission.OPEN}
        return False


async def read(client: Client, platform: str, policy: Policy) -> Admission:
    """Read what everybody is permitted; the server answers by itself, so this works while no worker is up.

    Raises:
        temporalio.service.RPCError: the server did not answer; the platform should deliver the message again.

    """
    try:
        found = await client.get_workflow_handle(access_id(platform)).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Admission(policy, AccessView())
    view: AccessView | None = await found.memo_value(ACCESS_MEMO, default=None, type_hint=AccessView)
    return Admission(policy, view or AccessView())


async def count(client: Client, platform: str, arrival: Arrival) -> None:
    """Count a message that was accepted.

    Raises:
        temporalio.service.RPCError: the server did not take it.

    """
    await client.start_workflow(
        ACCESS,
        AccessState(platform=platform, limits=arrival.limits),
        start_signal="arrived",
        start_signal_args=[arrival],
        **start_options(platform),
    )


def start_options(platform: str) -> Mapping[str, Any]:
    """Return how a platform's Access is started when there is none."""
    return {
        "id": access_id(platform),
        "task_queue": WORKFLOW_QUEUE,
        "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
        "search_attributes": TypedSearchAttributes([SearchAttributePair(PLATFORM, platform)]),
        "static_summary": f"who may talk on {platform}, and how much",
    }
