"""The report of a run: files that say the same each time, whatever is not stored any more."""

import json

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.report import MALFORMED, ReportActivity, ReportRequest, dump, load
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Owner
from tests.activities.benchmarks.test_page import is_self_contained
from tests.activities.benchmarks.written_runs import agents, completions, pinned, report

MOST = 20_000_000


@pytest.fixture
def storage() -> CodingStorage:
    return CodingStorage(BlobStore.open("memory://"))


async def test_a_run_is_reported_and_the_same_again(storage: CodingStorage) -> None:
    settings, run = await completions(storage, 12)
    reported = await report(storage, settings, run)
    assert reported.score.startswith("pass@1 ")
    lines = load(await storage.get(reported.results_jsonl, MOST))
    assert [line.task for line in lines] == list(settings.tasks)
    summary = json.loads(await storage.get(reported.report_json, MOST))
    assert summary["pinned"]["data_sha256"] == settings.data_sha256
    html = (await storage.get(reported.report_html, MOST)).decode()
    assert is_self_contained(html)
    assert reported.score.partition(",")[0] in html
    again = await report(storage, settings, list(reversed(run)))
    assert again.results_jsonl == reported.results_jsonl


async def test_of_an_attempt_that_is_there_twice_the_last_counts(storage: CodingStorage) -> None:
    first = Attempt(task="a", outcome=AttemptOutcome.WRONG)
    reported = await report(storage, pinned("a"), [first, Attempt(task="a", outcome=AttemptOutcome.SOLVED)])
    (line,) = load(await storage.get(reported.results_jsonl, MOST))
    assert line.outcome == AttemptOutcome.SOLVED


async def test_what_is_not_stored_any_more_is_left_out(storage: CodingStorage) -> None:
    settings, run = await completions(storage, 3)
    gone = next(attempt.answer for attempt in run if attempt.answer)
    await storage.delete(gone)
    reported = await report(storage, settings, run)
    assert "not stored any more" in (await storage.get(reported.report_html, MOST)).decode()


async def test_results_that_are_none_are_refused_for_good(storage: CodingStorage) -> None:
    ref = await storage.put(Owner(platform="bench", chat="run"), b'{"task": 1}\n', "application/jsonl", "jsonl")
    request = ReportRequest(pinned=pinned("a"), results=(ref,), seconds=1.0, outcome="finished")
    with pytest.raises(ApplicationError) as refused:
        await ActivityEnvironment().run(ReportActivity(storage).report, request)
    assert (refused.value.type, refused.value.non_retryable) == (MALFORMED, True)


async def test_a_page_of_a_thousand_attempts_is_under_ten_megabytes(storage: CodingStorage) -> None:
    settings, run = await agents(storage, tasks=100, samples=10)
    reported = await report(storage, settings, run)
    assert len(load(await storage.get(reported.results_jsonl, MOST))) == 1000
    assert reported.report_html.bytes < 10_000_000


def test_lines_are_read_as_they_were_written() -> None:
    attempts = (Attempt(task="a", outcome=AttemptOutcome.WRONG), Attempt(task="b", outcome=AttemptOutcome.SOLVED))
    assert load(dump(attempts)) == attempts
