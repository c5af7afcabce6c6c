"""Runs on the terminal: tables for people, JSON for programs."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.blobs import BlobStore
from activities.testruns.results import Artefact, Outcome, make_result
from activities.values import BlobRef
from workers.commands import testruns_output as output
from workers.errors import UnavailableError
from workers.settings import StorageSettings
from workflows.testruns.contracts import Current, ModuleLog, RunOutcome, RunStatus

Captured = pytest.CaptureFixture[str]
STATUS = RunStatus(
    outcome=RunOutcome.RUNNING,
    started_at="2026-01-02T03:04:05.678+00:00",
    elapsed_seconds=6.5,
    modules=2,
    modules_ended=1,
    tests=5,
    tests_ended=3,
    counts={Outcome.PASSED: 2, Outcome.FAILED: 1},
    current=(Current(module="test_b.py", test="test_b.py::test_one[de]", attempt=2),),
    notes=("attempt 1 was lost",),
)


def test_a_status_is_a_table_or_an_object(capsys: Captured) -> None:
    output.show_status("tests/1", STATUS, as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["run"], printed["outcome"], printed["counts"]) == ("tests/1", "running", {"passed": 2, "failed": 1})
    output.show_status("tests/1", STATUS, as_json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "run tests/1",
        "outcome running",
        "tests 3 of 5: 2 passed, 1 failed",
        "modules 1 of 2",
        "time 6.5 s since 2026-01-02T03:04:05 UTC",
        "now test_b.py::test_one[de] (attempt 2)",
        "note attempt 1 was lost",
    ]


def test_results_are_a_table_or_a_list(capsys: Captured) -> None:
    results = [make_result("test_a.py::test_one[x]", Outcome.FAILED, 0.25, "one is\nnot [two]")]
    output.show_results(results, as_json=True)
    (printed,) = json.loads(capsys.readouterr().out)
    assert (printed["node"], printed["outcome"]) == ("test_a.py::test_one[x]", "failed")
    output.show_results(results, as_json=False)
    last = " ".join(capsys.readouterr().out.splitlines()[-1].split())
    assert last == "failed test_a.py::test_one[x] 0.25 one is not [two]"
    output.show_results([], as_json=True)
    assert capsys.readouterr().out == "[]\n"


@pytest_asyncio.fixture
async def blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BlobRef]:
    """A log in the blob store of a home."""
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    blobs = BlobStore.open(StorageSettings().blobs)
    yield await blobs.put("tests", "1", b"all of it", mime="text/plain", seconds=0, sample_rate=0, ending="log")


async def test_logs_are_whole_where_the_store_has_them(blob: BlobRef, tmp_path: Path, capsys: Captured) -> None:
    logs = [
        ModuleLog(module="test_a.py", end="the end", log=blob, artefacts=(Artefact(name="../left.txt", blob=blob),)),
        ModuleLog(module="test_b.py", end="its end", log=blob.model_copy(update={"key": "tests/1/gone.log"})),
        ModuleLog(module="test_c.py", end="so far"),
    ]
    await output.show_logs(logs, tmp_path / "kept", as_json=False)
    whole, gone, running = capsys.readouterr().out.split("==> ")[1:]
    assert whole == "test_a.py <==\nall of it\n"
    assert gone.startswith("test_b.py <==\n[only its end: ")
    assert gone.endswith("]\nits end\n")
    assert running == "test_c.py <==\nso far\n"
    assert [file.name for file in (tmp_path / "kept").iterdir()] == ["left.txt"], "and none beside the folder"
    await output.show_logs(logs, None, as_json=True)
    assert [log["module"] for log in json.loads(capsys.readouterr().out)] == ["test_a.py", "test_b.py", "test_c.py"]


@pytest.mark.usefixtures("address")
def test_what_the_server_refuses_is_one_sentence() -> None:
    async def refuse(_client: Client) -> None:
        raise RPCError("no such namespace", RPCStatusCode.NOT_FOUND, b"")

    with pytest.raises(UnavailableError, match="The Temporal server says: no such namespace"):
        output.with_client(refuse)
