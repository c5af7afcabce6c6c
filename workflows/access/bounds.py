"""What Access carries, bounded by bytes: more than Temporal takes would leave its workflow stuck for ever."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.access.arrivals import Arrivals
    from workflows.access.contracts import AccessState, AccessView, Usage

MAX_VIEW_BYTES = 300_000
"""Of the permissions, as JSON: about 6,000 people by name, and twice as many without."""
MAX_USAGE_BYTES = 400_000
"""Of what people have used today, as JSON: about 4,000 people."""
MAX_HOLDS = 1000
"""People at a limit at once."""


def is_too_large(view: AccessView) -> bool:
    """Tell whether there are more permissions than can be kept."""
    return _bytes_of(view) > MAX_VIEW_BYTES


def fitting(view: AccessView) -> AccessView:
    """Return what can be kept: of people at a limit those who wait longest; no names where there are too many."""
    holds = sorted(view.holds.items(), key=lambda item: max(item[1].messages_until, item[1].voice_until))
    view = view.model_copy(update={"holds": dict(holds[-MAX_HOLDS:])})
    return view.model_copy(update={"names": {}}) if is_too_large(view) else view


def carried(state: AccessState, now: float) -> AccessState:
    """Return what the next run needs: arrivals of the last minute, and of too many people those with the most messages.

    Args:
        state: of this run.
        now: seconds since the epoch.

    """
    usage, size = {}, 0
    for user, used in sorted(state.usage.items(), key=lambda item: -item[1].messages):
        kept = used.model_copy(update={"arrivals": Arrivals(used.arrivals).recent(now)})
        size += _bytes_of(kept) + len(user) + 4
        if size > MAX_USAGE_BYTES:
            break
        usage[user] = kept
    return state.model_copy(update={"usage": usage})


def _bytes_of(value: AccessView | Usage) -> int:
    return len(value.model_dump_json().encode())
