"""A group becomes a supergroup: permission, settings and memory move along, in any order, once."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from telegram import Bot
from temporalio.service import RPCError

from bots import access
from bots.access import Role
from bots.telegram.intake import TelegramIntake
from bots.telegram.migration import Migration
from tests.bots.conftest import POLICY, Platform, platform, world
from tests.bots.telegram.conftest import DOWN, Inbox
from tests.bots.telegram.test_polling import polling
from tests.support.platforms.telegram import BotApi
from tests.support.waiting import until
from tests.support.world import World, wait_for
from workflows.access.contracts import AccessChange, Permission
from workflows.names import conversation_id
from workflows.voice.contracts import ChatSettings, Memory

__all__ = ["platform", "world"]
OLD = "-5"


@pytest.fixture
def new() -> str:
    return f"-100{uuid4().int % 10**9}"


@pytest.fixture
def migration(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Migration:
    monkeypatch.setattr("bots.telegram.migration.PLATFORM", platform.name)
    return Migration(platform.client, POLICY)


async def role(platform: Platform, group: str) -> Role:
    return (await access.read(platform.client, platform.name, POLICY)).role("bob", group)


async def answered(platform: Platform, group: str, text: str) -> None:
    """Have the owner ask something, and wait until it is remembered."""
    assert await platform.receive(platform.inbound("owner", chat=group, group=group, text=text)) is None

    async def remembered() -> bool:
        return text in await memory_of(platform, group)

    await until(remembered)


async def memory_of(platform: Platform, group: str) -> list[str]:
    handle = platform.client.get_workflow_handle(conversation_id(platform.name, group))
    memory: Memory = await handle.query("history", result_type=Memory)
    return [exchange.user for exchange in memory.window]


@pytest.mark.usefixtures("world")
async def test_what_was_said_and_chosen_moves_along_and_is_forgotten_there(
    platform: Platform, migration: Migration, new: str
) -> None:
    await platform.change(AccessChange(id=OLD, standing=Permission.ALLOWED))
    await platform.command("voice off", chat=OLD, group=OLD)
    await answered(platform, OLD, "We like tea.")
    for _ in range(2):  # either chat tells it
        await migration.move(OLD, new, "Friends")
    assert await role(platform, new) is Role.GUEST
    handle = platform.client.get_workflow_handle(conversation_id(platform.name, new))
    settings: ChatSettings = await handle.query("settings", result_type=ChatSettings)
    assert settings.reply_mode == "off"
    assert (await memory_of(platform, new), await memory_of(platform, OLD)) == (["We like tea."], [])
    view = (await access.read(platform.client, platform.name, POLICY)).view
    assert view.names[new] == "Friends"


@pytest.mark.usefixtures("world")
async def test_what_was_said_in_the_supergroup_before_it_is_told_stays(
    platform: Platform, migration: Migration, new: str
) -> None:
    await platform.change(AccessChange(id=new, standing=Permission.OPEN))
    await answered(platform, OLD, "We like tea.")
    await answered(platform, new, "And cake.")
    await asyncio.gather(migration.move(OLD, new, None), migration.move(OLD, new, None))
    assert await memory_of(platform, new) == ["We like tea.", "And cake."]
    view = (await access.read(platform.client, platform.name, POLICY)).view
    assert view.standings[new] is Permission.OPEN, "what was said of it last"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("group", "permission"), [("-1", Permission.ALLOWED), ("-2", Permission.OPEN), ("-3", None)])
async def test_a_group_of_the_settings_is_let_in_by_its_new_id(
    platform: Platform, migration: Migration, new: str, group: str, permission: Permission | None
) -> None:
    await migration.move(group, new, None)
    view = (await access.read(platform.client, platform.name, POLICY)).view
    assert view.standings.get(new) == permission


@pytest.mark.usefixtures("world")
async def test_a_group_that_was_shut_out_stays_so(platform: Platform, migration: Migration, new: str) -> None:
    await platform.change(AccessChange(id="-1", standing=Permission.DENIED))
    await migration.move("-1", new, None)
    assert await role(platform, new) is Role.STRANGER


async def test_while_no_worker_is_up_it_is_tried_again(
    platform: Platform, migration: Migration, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.workflow_calls.TIMEOUT", timedelta(seconds=0.5))
    with pytest.raises(RPCError):
        await migration.move("-1", new, None)


async def test_what_is_still_answered_in_the_group_is_remembered_in_the_supergroup(
    platform: Platform, migration: Migration, new: str, world: World
) -> None:
    go_on = asyncio.Event()
    world.behaviours["infer"] = wait_for(go_on)
    assert await platform.receive(platform.inbound("owner", chat=OLD, group=OLD, text="We like tea.")) is None
    await until(lambda: bool(world.asked("infer")))
    for _ in range(2):
        await migration.move(OLD, new, None)
    go_on.set()

    async def remembered() -> bool:
        return await memory_of(platform, new) == ["We like tea."]

    await until(remembered)
    assert await memory_of(platform, OLD) == []


# Updates


async def test_a_message_in_the_supergroup_waits_for_the_move(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    inbox.failures["move"] = [DOWN] * 3
    api.write(-5, "before")
    api.write(-5, migrate_to_chat_id=-1005)
    api.write(-1005, "after")
    api.write(-1005, migrate_from_chat_id=-5)
    api.write(-6, "elsewhere")
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 5)
    assert [text for chat, text in inbox.taken if chat != "-6"] == ["before", "after"]
    assert inbox.taken.index(("-6", "elsewhere")) < inbox.taken.index(("-1005", "after")), "others do not wait"
    assert [move[:2] for move in inbox.moved] == [("-5", "-1005")] * 2
