"""Work beside the turns: awaited before a run ends, and shared fairly between chats."""

import asyncio

from tests.support.waiting import until
from workflows.names import BACKGROUND, LIVE
from workflows.voice.background import BackgroundTasks, fairly


async def test_a_run_can_wait_for_what_was_begun() -> None:
    tasks, may_end, ended = BackgroundTasks(), asyncio.Event(), list[int]()

    async def work(number: int) -> None:
        await may_end.wait()
        ended.append(number)

    def states() -> tuple[bool, int]:
        return tasks.all_done, len(ended)

    assert states() == (True, 0)
    tasks.begin(work(1))
    tasks.begin(work(2))
    await asyncio.sleep(0)
    assert states() == (False, 0)
    may_end.set()
    await until(lambda: states() == (True, 2))
    assert ended == [1, 2]


def test_chats_share_what_has_the_same_priority_and_live_turns_come_first() -> None:
    assert fairly("telegram", "1").fairness_key != fairly("telegram", "2").fairness_key
    assert fairly("telegram", "1").fairness_key == fairly("telegram", "1", BACKGROUND).fairness_key == "telegram/1"
    assert (fairly("web", "1").priority_key, fairly("web", "1", BACKGROUND).priority_key) == (LIVE, BACKGROUND)
    assert LIVE < BACKGROUND
    key = fairly("web", "x" * 100).fairness_key
    assert key
    assert len(key) == 64, "the server takes 64 bytes"
