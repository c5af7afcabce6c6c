"""What bots read of Access, as it crosses Temporal."""

import pytest

from workflows.access.contracts import AccessChange, AccessView, Hold, Permission, UserLimits


def test_the_memo_is_read_as_0_1_0_wrote_it() -> None:
    memo = {
        "standings": {"7": "allowed", "-1": "open", "8": "blocked"},
        "draining": True,
        "holds": {"7": {"messages_until": 5.0, "voice_until": 0.0}},
    }
    view = AccessView.model_validate(memo)
    assert view.standings == {"7": Permission.ALLOWED, "-1": Permission.OPEN, "8": Permission.BLOCKED}
    assert view.holds == {"7": Hold(messages_until=5)}
    assert view.model_dump(mode="json") == memo | {"names": {}}
    assert AccessView.model_validate({}) == AccessView()


def test_a_change_without_a_standing_leaves_it_to_the_settings() -> None:
    assert AccessChange.model_validate({"id": "7"}).standing is None


def test_limits_have_bounds() -> None:
    for wrong in ({"messages_per_minute": 0}, {"voice_seconds_per_day": 0}):
        with pytest.raises(ValueError, match="greater than"):
            UserLimits.model_validate(wrong)
