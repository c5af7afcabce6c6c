"""What owners can tell june to do: who may talk to it, whether messages are taken, and how many were."""

import re
from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation

from activities.values import Notice
from bots import access
from bots.access import Policy
from bots.intake import InboundMessage
from bots.people import Names, called
from bots.texts.catalogue import say
from bots.workflow_calls import query_or, update_with_start
from workflows.access.contracts import AccessChange, AccessState, AccessView, Permission, Usage
from workflows.names import ACCESS, VOICE_MESSAGE, access_id

_ID = re.compile(r"[A-Za-z0-9._:@+-]{1,120}")


class OwnerCommands:
    """Commands for owners: who may talk to june, whether messages are taken, and how many were."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.names = Names()

    async def allow(self, inbound: InboundMessage, argument: str) -> Notice:
        """``/allow ID``, as a reply, or in a group for the group; ``/allow open`` there answers every message."""
        place = next(iter(inbound.places), inbound.group)
        if argument == "open" and place:
            return await self._permit(inbound, place, Permission.OPEN)
        return await self._permit(inbound, argument or inbound.about or inbound.group, Permission.ALLOWED)

    async def deny(self, inbound: InboundMessage, argument: str) -> Notice:
        return await self._permit(inbound, argument or inbound.about or inbound.group, Permission.DENIED)

    async def block(self, inbound: InboundMessage, argument: str) -> Notice:
        return await self._permit(inbound, argument or inbound.about, Permission.BLOCKED)

    async def unblock(self, inbound: InboundMessage, argument: str) -> Notice:
        return await self._permit(inbound, argument or inbound.about, None)

    async def _permit(self, inbound: InboundMessage, who: str | None, permission: Permission | None) -> Notice:
        if not who or not _ID.fullmatch(who):
            return Notice(key="whom")
        names = await self._known_names(inbound.platform)
        await self.change_access(inbound.platform, AccessChange(id=who, standing=permission, name=names.get(who)))
        key = f"standing-{permission or 'unblocked'}"
        shared = who in (inbound.group, *inbound.places) and permission in {Permission.ALLOWED, Permission.DENIED}
        return Notice(key=f"{key}-group" if shared else key, params={"user": called(who, names)})

    async def _known_names(self, platform: str) -> dict[str, str]:
        """Return the names of all of whom owners have said something, and of those who wrote of late."""
        admission = await access.read(self._client, platform, Policy())
        return {**admission.view.names, **self.names.of(platform)}

    async def drain(self, inbound: InboundMessage, argument: str) -> Notice:
        draining = argument != "off"
        await self.change_access(inbound.platform, AccessChange(draining=draining))
        return Notice(key="drained" if draining else "drained-off")

    async def stats(self, inbound: InboundMessage, _argument: str) -> str:
        usage: dict[str, Usage] = {}
        usage = await query_or(self._client, access_id(inbound.platform), "usage", dict[str, Usage], usage)
        platform = f"WorkflowType = '{VOICE_MESSAGE}' AND Platform = '{inbound.platform}'"
        running = await self._client.count_workflows(f"{platform} AND ExecutionStatus = 'Running'")
        figures: dict[str, float | int | str] = {
            "people": len(usage),
            "messages": sum(used.messages for used in usage.values()),
            "voice_seconds": sum(used.voice_seconds for used in usage.values()),
            "running": running.count,
        }
        names = await self._known_names(inbound.platform)
        names |= {user: used.name for user, used in usage.items() if used.name}
        most = sorted(usage.items(), key=lambda item: -item[1].messages)[:10]
        lines = [_used(called(user, names), used, inbound.language) for user, used in most]
        return "\n".join([say(Notice(key="stats", params=figures), inbound.language), *lines])

    async def change_access(self, platform: str, change: AccessChange) -> None:
        """Have a platform's Access keep what an owner said; it holds when this returns.

        Raises:
            temporalio.service.RPCError: the server did not take it.

        """
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            ACCESS, AccessState(platform=platform), **access.start_options(platform)
        )
        await update_with_start(self._client, "change", [change], start, AccessView)


def _used(name: str, used: Usage, language: str | None) -> str:
    figures: dict[str, float | int | str] = {"messages": used.messages, "voice_seconds": used.voice_seconds}
    return say(Notice(key="stats-person", params={"user": name, **figures}), language)
