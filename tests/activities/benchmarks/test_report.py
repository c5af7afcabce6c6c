"""The report of a run, by its activity."""

import json

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import AttemptOutcome
from activities.benchmarks.report import MALFORMED, ReportActivity, ReportRequest, dump, load
from activities.benchmarks.summary import Summary
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage
from activities.values import BlobRef
from tests.activities.benchmarks.runs import attempts, pinned
from tests.activities.benchmarks.written_runs import agents, completions, report, speech, turns

MAX_BYTES = 20_000_000


@pytest.fixture
def storage() -> CodingStorage:
    """An empty store."""
    return CodingStorage(BlobStore.open("memory://"))


async def _put(storage: CodingStorage, data: bytes) -> BlobRef:
    return await storage.put(owner_of("a-run"), data, "application/jsonl", "jsonl")


async def test_a_run_has_a_score_its_figures_its_attempts_and_a_page(storage: CodingStorage) -> None:
    settings, run = await completions(storage)
    reported = await report(storage, settings, run)
    assert reported.score == "pass@1 0.74 (0.66 to 0.80), 163 of 164 tasks; 0.73 with 1 fault as not solved"
    figures = json.loads(await storage.get(reported.report_json, MAX_BYTES))
    assert Summary.model_validate(figures).score == reported.score
    assert list(load(await storage.get(reported.results_jsonl, MAX_BYTES))) == run
    html = (await storage.get(reported.report_html, MAX_BYTES)).decode()
    assert html.startswith("<!doctype html>")
    assert reported.score in html
    assert "has_close_elements" in html
    assert all(ref.key.startswith(f"bench/{settings.run}/") for ref in (reported.results_jsonl, reported.report_html))


async def test_speech_and_turns_are_reported_as_well(storage: CodingStorage) -> None:
    assert (await report(storage, *speech())).score.startswith("june 9.7 % of words wrong")
    assert (await report(storage, *turns())).score.startswith("total p50")


async def test_the_same_attempts_give_the_same_files_in_whatever_order_they_ended(storage: CodingStorage) -> None:
    settings, run = await agents(storage, tasks=4, samples=2)
    first, second = await report(storage, settings, run), await report(storage, settings, [*run[::-1], run[0]])
    for name in ("results_jsonl", "report_json", "report_html"):
        one = await storage.get(getattr(first, name), MAX_BYTES)
        assert one == await storage.get(getattr(second, name), MAX_BYTES)
    assert load(await storage.get(first.results_jsonl, MAX_BYTES)) == tuple(run)


async def test_a_page_of_a_thousand_attempts_keeps_to_its_size(storage: CodingStorage) -> None:
    settings, run = await agents(storage, tasks=200, samples=5)
    huge = await _put(storage, b"<&>\x00\n" * 200_000)
    run = [attempt.model_copy(update={"patch": huge}) for attempt in run]
    html = await storage.get((await report(storage, settings, run)).report_html, MAX_BYTES)
    assert len(html) < 10_000_000
    assert html.count(b'<details class="attempt') == 1000


async def test_what_is_stored_no_more_is_told_and_ends_nothing(storage: CodingStorage) -> None:
    settings, run = await agents(CodingStorage(BlobStore.open("memory://")), tasks=2, samples=1)
    html = await storage.get((await report(storage, settings, run)).report_html, MAX_BYTES)
    assert html.count(b"Some of what it has written is not stored any more.") == 2


async def test_results_that_are_no_attempts_fail_for_good(storage: CodingStorage) -> None:
    results = (await _put(storage, b'{"task": 1}\n'),)
    request = ReportRequest(pinned=pinned("0"), results=results, seconds=1, outcome="finished")
    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(ReportActivity(storage).report, request)
    assert caught.value.type == MALFORMED
    assert caught.value.non_retryable


def test_attempts_are_read_as_they_were_written() -> None:
    run = attempts(AttemptOutcome.SOLVED, AttemptOutcome.WRONG)
    assert load(dump(run)) == tuple(run)
    assert load(b"") == ()
