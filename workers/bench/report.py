"""``june bench all``: every measurement, and the table of docs/benchmarks.md."""

from collections.abc import Callable
from typing import Any

from workers.bench.endurance import bench_endurance
from workers.bench.footprint import bench_footprint
from workers.bench.sizes import ENDURANCE_TURNS, FOOTPRINT_TURNS, NOOP_TURNS, ROUNDS
from workers.bench.turn import bench_turn

ROWS = (
    ("turnaround over the plain sum of the engines, one sentence", "turn", "ratio_one_sentence", ""),
    ("the same, four sentences", "turn", "ratio_four_sentences", ""),
    ("message durable, no-op engines, p50", "turn", "intake_ms_p50", " ms"),
    ("message in to reply started, no-op engines, p50", "turn", "turn_ms_p50", " ms"),
    ("the same, p95", "turn", "turn_ms_p95", " ms"),
    ("one plain call to the server, p50", "turn", "rpc_ms_p50", " ms"),
    ("turn 1,000 over turn 10 of chats begun beside it, no-op engines", "endurance", "ratio_late_to_early", ""),
    ("longest history of that conversation (limit 51,200)", "endurance", "most_events", " events"),
    ("its largest history (limit 50 MB)", "endurance", "most_bytes", " bytes"),
    ("ready after", "footprint", "ready_seconds", " s"),
    ("idle memory of all processes", "footprint", "idle_mb_total", " MB"),
    ("idle load", "footprint", "idle_cpu_percent", " % of a core"),
    ("memory after turn 100 over turn 10, worst process", "footprint", "growth_most", ""),
)


async def measure_everything(log: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Run all measurements, one after the other.

    Raises:
        JuneError: a stack could not be started, or a turn failed.

    """
    return {
        "turn": (await bench_turn(ROUNDS, NOOP_TURNS, log)).model_dump(),
        "endurance": (await bench_endurance(ENDURANCE_TURNS, log)).model_dump(),
        "footprint": (await bench_footprint(FOOTPRINT_TURNS, log)).model_dump(),
    }


def table(figures: dict[str, dict[str, Any]]) -> str:
    """Return the figures as a Markdown table."""
    rows = [f"| {label} | {figures[area][name]:,}{unit} |" for label, area, name, unit in ROWS]
    return "\n".join(["| what | measured |", "|---|---|", *rows])
