"""The table of ``june bench all``."""

from workers.bench.endurance import Endurance
from workers.bench.footprint import Footprint
from workers.bench.report import ROWS, table
from workers.bench.turn import TurnFigures


def test_the_report_has_a_row_a_figure() -> None:
    figures = {
        "turn": dict.fromkeys(
            (
                "ratio_one_sentence",
                "ratio_four_sentences",
                "intake_ms_p50",
                "turn_ms_p50",
                "turn_ms_p95",
                "rpc_ms_p50",
            ),
            1.5,
        ),
        "endurance": {"ratio_late_to_early": 1.0, "most_events": 2000, "most_bytes": 3_000_000},
        "footprint": {"ready_seconds": 9, "idle_mb_total": 3200, "idle_cpu_percent": 1.7, "growth_most": 1.01},
    }
    assert "| its largest history (limit 50 MB) | 3,000,000 bytes |" in table(figures)


def test_every_row_is_a_figure_that_is_measured() -> None:
    fields = {
        "turn": TurnFigures.model_fields,
        "endurance": Endurance.model_fields,
        "footprint": Footprint.model_fields,
    }
    assert [name for _, area, name, _ in ROWS if name not in fields[area]] == []
