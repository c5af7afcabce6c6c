"""The activity ``retract``."""

from temporalio.testing import ActivityEnvironment

from activities.retract import RetractActivity, RetractRequest
from activities.values import Address


class Board:
    """A platform that notes what is taken back."""

    def __init__(self) -> None:
        self.retracted: list[tuple[str, str]] = []

    async def retract(self, to: Address, message: str) -> None:
        self.retracted.append((to.chat, message))


async def test_the_platform_takes_it_back() -> None:
    board = Board()
    request = RetractRequest(to=Address(platform="board", chat="1", message="7"), message="8")
    await ActivityEnvironment().run(RetractActivity(board).retract, request)
    assert board.retracted == [("1", "8")]
