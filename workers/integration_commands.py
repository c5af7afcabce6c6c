"""What the commands of ``june tests`` do."""

from pathlib import Path

from pydantic import BaseModel
from temporalio.client import Client

from workers import integration as runs
from workers import integration_console as console
from workers.errors import ExitCode
from workers.integration_health import examine
from workflows.integration_contracts import RunOutcome, RunRequest, RunStatus

EXIT = {
    RunOutcome.PASSED: ExitCode.OK,
    RunOutcome.RUNNING: ExitCode.OK,
    RunOutcome.FAILED: ExitCode.FAULT,
    RunOutcome.ERROR: ExitCode.UNAVAILABLE,
    RunOutcome.CANCELLED: ExitCode.UNAVAILABLE,
}


class Started(BaseModel):
    """What ``june tests run --json`` tells without ``--wait``."""

    run: str


def run(request: RunRequest, name: str, junit: Path | None, *, wait: bool, as_json: bool) -> ExitCode:
    """Start a run, and wait for its end if asked to."""

    async def go(client: Client) -> tuple[str, RunStatus | None]:
        started = await runs.start_run(client, request, name)
        if not wait:
            return started, None
        handle = await runs.find_run(client, started)
        await console.watch(handle, quiet=as_json)
        if junit:
            await console.write_junit(handle, junit)
        return started, await runs.status_of(handle)

    started, stands = console.with_client(go)
    if stands:
        console.show_status(started, stands, as_json=as_json)
        return EXIT[stands.outcome]
    if as_json:
        console.write_json(Started(run=started))
    else:
        console.write_line(f"{started} has begun: june tests status")
    return ExitCode.OK


def status(run: str, *, as_json: bool) -> ExitCode:
    """Show how a run stands."""

    async def go(client: Client) -> tuple[str, RunStatus]:
        handle = await runs.find_run(client, run)
        return handle.id, await runs.status_of(handle)

    found, stands = console.with_client(go)
    console.show_status(found, stands, as_json=as_json)
    return EXIT[stands.outcome]


def results(run: str, junit: Path | None, *, bad_only: bool, as_json: bool) -> None:
    """List a run's tests."""

    async def go(client: Client) -> None:
        handle = await runs.find_run(client, run)
        if junit:
            await console.write_junit(handle, junit)
        console.show_results(await runs.results_of(handle, bad_only=bad_only), as_json=as_json)

    console.with_client(go)


def logs(run: str, module: str, artefacts: Path | None, *, as_json: bool) -> None:
    """Print what a run's tests printed."""

    async def go(client: Client) -> None:
        found = await runs.logs_of(await runs.find_run(client, run), module)
        await console.show_logs(found, artefacts, as_json=as_json)

    console.with_client(go)


def list_runs(outcome: RunOutcome | None, limit: int, *, as_json: bool) -> None:
    """List runs."""

    async def go(client: Client) -> list[runs.ListedRun]:
        query = f"Outcome = '{outcome.value}'" if outcome else ""
        return [one async for one in runs.list_runs(client, query, limit)]

    console.show_runs(console.with_client(go), as_json=as_json)


def cancel(run: str, *, as_json: bool) -> None:
    """Cancel a run, and show what is known of it when it has ended."""

    async def go(client: Client) -> tuple[str, RunStatus]:
        handle = await runs.find_run(client, run)
        await handle.cancel()
        await runs.ended(handle)
        return handle.id, await runs.status_of(handle)

    found, stands = console.with_client(go)
    console.show_status(found, stands, as_json=as_json)


def health(*, as_json: bool) -> ExitCode:
    """Show whether tests can be run, and when they were."""
    found = console.with_client(examine)
    if as_json:
        console.write_json(found)
    else:
        console.write_line(found.sentence)
    return ExitCode.OK if found.ok else ExitCode.UNAVAILABLE
