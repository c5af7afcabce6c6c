"""Alert rules and dashboard: june has the metrics that they ask for, and promtool says what they make of them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RULES = ROOT / "docker" / "alerts-tests.yml"
RULES_TESTS = HERE / "alerts-tests.test.yml"
DASHBOARD = ROOT / "docker" / "dashboard-tests.json"
PANELS: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
PROMTOOL = shutil.which("promtool")
SUITE = {
    "june_test_run_last_passed{instance='a', schedule='tests/nightly'}": "1x60",
    "june_test_run_last_passed{instance='a'}": "0x60",
    "june_test_run_last_passed{instance='b'}": "0x60",
    "june_test_run_last_end_seconds{instance='a', schedule='tests/nightly'}": "0x60",
    "june_test_run_last_end_seconds{instance='a'}": "1800x60",
    "june_test_run_running{instance='a'}": "1x60",
    # The first of their kind.
    "june_test_run_finished_total{outcome='failed', schedule='tests/nightly'}": "_x29 1x30",
    "june_test_run_tests_total{outcome='passed'}": "_x29 11x30",
    "june_test_run_seconds_bucket{le='5'}": "_x29 0x30",
    "june_test_run_seconds_bucket{le='15'}": "_x29 1x30",
    "june_test_run_seconds_bucket{le='+Inf'}": "_x29 1x30",
    "june_stage_failures_total{stage='collect', code='request-invalid'}": "_x29 1x30",
    "june_stage_failures_total{stage='infer', code='model-unavailable'}": "_x29 1x30",
}
"""What a tests worker and a workflows worker tell for an hour, a sample a minute."""
SHOWN: list[dict[str, float]] = [
    {'{schedule="tests/nightly"}': 1, '{schedule="by hand"}': 0},
    {'{schedule="tests/nightly"}': 1, '{schedule="by hand"}': 0.5},
    {"{}": 1},
    {'{outcome="failed"}': 1},
    {'{outcome="passed"}': 11},
    {"{}": 10},
    {"{}": 14.5},
    {'{stage="collect", code="request-invalid"}': 1},
]
"""What the dashboard's queries answer at the end of that hour, in their order."""

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None,
    reason="promtool is not on the PATH (it comes with Prometheus, in Debian's package prometheus); "
    f"by hand: promtool test rules {RULES_TESTS.relative_to(ROOT)}",
)


def promtool(*arguments: str) -> None:
    """Run it; what it has to say is the failure."""
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", [RULES, DASHBOARD], ids=["rules", "dashboard"])
def test_june_has_the_metrics_that_are_asked_for(file: Path) -> None:
    modules = (module for folder in ("activities", "workers", "workflows") for module in (ROOT / folder).rglob("*.py"))
    code = "".join(module.read_text(encoding="utf-8") for module in modules)
    names = {re.sub("_(total|bucket)$", "", name) for name in re.findall(r"june_\w+", file.read_text(encoding="utf-8"))}
    assert names
    assert {name for name in names if f'"{name}"' not in code} == set()


@needs_promtool
def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("check", "config", str(ROOT / "docker" / "prometheus.yml"))
    promtool("test", "rules", str(RULES_TESTS))


@needs_promtool
def test_the_dashboard_shows_what_there_is_the_first_of_a_kind_included(tmp_path: Path) -> None:
    answers = [
        {"expr": query, "eval_time": "1h", "exp_samples": [{"labels": at, "value": to} for at, to in shown.items()]}
        for query, shown in zip(QUERIES, SHOWN, strict=True)
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in SUITE.items()],
        "promql_expr_test": answers,
    }
    file = tmp_path / "dashboard.test.yml"
    file.write_text(json.dumps({"evaluation_interval": "1m", "tests": [test]}), encoding="utf-8")
    promtool("test", "rules", str(file))
