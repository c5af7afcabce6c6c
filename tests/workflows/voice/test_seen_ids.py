"""Ids of messages: the last are known, and over a /forget for a while, as hashes."""

from workflows.voice.contracts import ConversationState
from workflows.voice.seen_ids import FORGOTTEN_IDS_KEPT, FORGOTTEN_SECONDS, SeenIds

EMPTY = ConversationState(platform="test", chat="1")


def saved(seen: SeenIds, chat: str = "1") -> ConversationState:
    return ConversationState.model_validate(EMPTY.model_dump() | seen.saved() | {"chat": chat})


def test_ids_are_kept_over_a_forget_as_hashes_for_a_while() -> None:
    seen = SeenIds(EMPTY)
    for message in "12":
        seen.add(message)
    seen.forget(now=10)
    state = saved(seen)
    assert (state.seen, len(state.forgotten)) == ((), 2)
    assert [len(kept) for kept in state.forgotten] == [16, 16], "hashes"
    after = SeenIds(state)
    assert "1" in after
    assert "3" not in after
    assert "1" not in SeenIds(saved(seen, chat="2")), "the same id in another chat is another message"
    after.add("3")
    after.forget(now=FORGOTTEN_SECONDS + 20)
    assert [message in after for message in "123"] == [False, False, True]


def test_they_are_not_more_than_so_many() -> None:
    seen = SeenIds(EMPTY)
    for number in range(FORGOTTEN_IDS_KEPT + 20):
        seen.add(str(number))
        seen.forget(now=0)
    assert len(saved(seen).forgotten) == FORGOTTEN_IDS_KEPT
    assert "0" not in seen
    assert str(FORGOTTEN_IDS_KEPT + 19) in seen
