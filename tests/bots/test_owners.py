"""What owners tell june to do, over real workflows."""

from dataclasses import replace
from typing import Any

import pytest

from bots.commands import FOR_OWNERS
from bots.people import Names
from tests.bots.conftest import Platform, said
from tests.support.waiting import until
from tests.support.world import World


async def test_owners_commands_are_for_owners(platform: Platform) -> None:
    for name in FOR_OWNERS:
        assert await platform.command(f"{name} x", owner=False) == said("owners-only")


GROUP: dict[str, Any] = {"group": "-1", "group_name": "The Garden"}
OWNERS_SAY: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("allow bob", {}, "standing-allowed", "bob"),
    ("allow", {"about": "bob", "group": "-1"}, "standing-allowed", "bob"),
    ("allow", {"about": "7", "about_name": "Bob\n the   Builder"}, "standing-allowed", "Bob the Builder"),
    ("deny 7", {}, "standing-denied", "Bob the Builder"),
    ("allow", GROUP, "standing-allowed-group", "The Garden"),
    ("deny", GROUP, "standing-denied-group", "The Garden"),
    ("allow -1", {}, "standing-allowed", "The Garden"),
    ("allow open", GROUP | {"places": ("70",), "place_name": "#roses"}, "standing-open", "#roses"),
    ("allow open", {}, "standing-allowed", "open"),
    ("deny bob", {}, "standing-denied", "bob"),
    ("block", {"about": "bob"}, "standing-blocked", "bob"),
    ("unblock bob", {}, "standing-unblocked", "bob"),
    ("allow", {"about": "8", "about_name": "Bob the Builder"}, "standing-allowed", "Bob the Builder (8)"),
    ("allow", {"about": "9", "about_name": "\u200e \n"}, "standing-allowed", "9"),
)


async def test_owners_say_who_may_talk(platform: Platform, world: World) -> None:
    for text, inbound, key, who in OWNERS_SAY:
        platform.commands.owners.names.learn(replace(platform.inbound("owner"), **inbound))
        assert await platform.command(text, **inbound) == said(key, user=who)


async def test_names_outlive_a_restart(platform: Platform, world: World) -> None:
    platform.commands.owners.names.learn(platform.inbound("7", sender="Bob"))
    assert await platform.command("allow 7") == said("standing-allowed", user="Bob")
    platform.commands.owners.names = Names()
    assert await platform.command("deny 7") == said("standing-denied", user="Bob")
    assert await platform.command("unblock 7") == said("standing-unblocked", user="Bob")
    assert await platform.command("deny 7") == said("standing-denied", user="7"), "forgotten with what was said"


@pytest.mark.parametrize("text", ["allow", "block", "unblock", "block a b", "deny ../x", f"allow {'x' * 121}"])
async def test_owners_must_say_whom(platform: Platform, text: str) -> None:
    assert await platform.command(text) == said("whom")


async def test_stats(platform: Platform, world: World) -> None:
    assert await platform.command("stats") == said("stats", messages=0, people=0, voice_seconds=0, running=0)
    for user, name in (("ada", "Ada"), ("ada", "Ada L."), ("owner", "")):
        await platform.receive(platform.inbound(user, chat="1", sender=name))
    await until(lambda: len(world.answers()) == 3)
    first, *lines = (await platform.command("stats")).splitlines()
    assert first.startswith("Today: 3 messages from 2 people")
    assert lines == ["Ada L.: 2 messages, 0 seconds of speech", "owner: 1 message, 0 seconds of speech"]
