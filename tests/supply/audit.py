"""``make audit``: ask OSV for known vulnerabilities of every package that june locks.

A vulnerability fails the run unless requirements/audit.toml accepts it, with a reason, until a day that has not come.
Where no service is reached nothing is known, which is said and is no failure (it is one with ``--required``).
docs/adr/0036-the-supply-chain-is-checked-by-commands.md says why it is done so.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx2
from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workers.commands.sbom import pins
from workers.models.catalogue import PackageSource, models
from workers.settings import PROJECT

SERVICE = "https://api.osv.dev"
ACCEPTED = PROJECT / "requirements" / "audit.toml"
LOCKS = (*sorted((PROJECT / "requirements").glob("*.txt")), *sorted((PROJECT / "docker").glob("*.txt")))
SECONDS = 10
"""Longest wait for a connection, and for an answer."""
PER_QUESTION = 1000
"""Most packages that OSV takes at once."""
MAX_PAGES = 20
WRONG_QUESTION = {400, 404, 405, 410}
"""Status codes of a service that is there, and is asked for what it has not: a fault of this file's."""

Text = Annotated[str, Field(min_length=1)]


class NotAuditedError(Exception):
    """No service answered as a vulnerability service does."""


class Accepted(BaseModel):
    """A vulnerability that june lives with for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Text
    """Any of its names: CVE, GHSA, PYSEC."""
    package: Text
    reason: Text
    until: date
    """Last day on which it is accepted."""


class Finding(BaseModel):
    """A known vulnerability of a locked package."""

    package: str
    version: str
    names: set[str]
    """All names that the database has for it."""
    summary: str = ""
    fixed: list[str] = []
    """Versions that do not have it."""


class _Vulnerability(BaseModel):
    id: str
    aliases: list[str] = []
    summary: str = ""
    withdrawn: datetime | None = None
    affected: list[dict[str, Any]] = []


class _Result(BaseModel):
    vulns: list[dict[str, Any]] = []
    next_page_token: str = ""


class _Answer(BaseModel):
    results: list[_Result]


def locked() -> list[tuple[str, str]]:
    """List everything that is pinned, by name and version: lock files, and packages that hold models."""
    found = {(name, version) for lock in LOCKS for name, (version, _digests) in pins(lock).items()}
    for model in models().values():
        if isinstance(model.source, PackageSource):
            found |= {tuple(each.split("==")) for each in model.source.distributions}  # type: ignore[misc]
    return sorted(found)


def findings(service: str, packages: list[tuple[str, str]]) -> list[Finding]:
    """Ask a service that speaks OSV's API; one finding for all names of one vulnerability.

    Raises:
        NotAuditedError: it was not reached, or something else answered.

    """
    with httpx2.Client(base_url=service, timeout=SECONDS, follow_redirects=True) as client:
        try:
            found = [
                hit
                for start in range(0, len(packages), PER_QUESTION)
                for hit in _ask(client, packages[start : start + PER_QUESTION])
            ]
            known = {name: _look_up(client, name) for name in sorted({name for *_package, name in found})}
        except (httpx2.HTTPError, ValidationError, ValueError) as error:
            if isinstance(error, httpx2.HTTPStatusError) and error.response.status_code in WRONG_QUESTION:
                raise
            first, *_rest = str(error).splitlines() or [""]
            raise NotAuditedError(f"{type(error).__name__}: {first}") from error
    merged: list[Finding] = []
    for package, version, name in sorted(found):
        vulnerability = known[name]
        if vulnerability.withdrawn:
            continue
        names = {vulnerability.id, *vulnerability.aliases}
        same = [each for each in merged if each.package == package and each.names & names]
        if same:
            same[0].names |= names
            same[0].summary = same[0].summary or vulnerability.summary
            same[0].fixed = same[0].fixed or _fixed(vulnerability, package)
        else:
            fixed = _fixed(vulnerability, package)
            merged.append(
                Finding(package=package, version=version, names=names, summary=vulnerability.summary, fixed=fixed)
            )
    return merged


def _ask(client: httpx2.Client, packages: list[tuple[str, str]]) -> Iterable[tuple[str, str, str]]:
    """Yield package, version and vulnerability; results come in the order of the queries, by pages."""
    asked = [(name, version, "") for name, version in packages]
    for _page in range(MAX_PAGES):
        queries = [
            {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
            | ({"page_token": token} if token else {})
            for name, version, token in asked
        ]
        answer = client.post("/v1/querybatch", json={"queries": queries}).raise_for_status()
        results = _Answer.model_validate_json(answer.content).results
        for (name, version, _token), result in zip(asked, results, strict=True):
            for each in result.vulns:
                yield name, version, str(each["id"])
        asked = [
            (name, version, result.next_page_token)
            for (name, version, _token), result in zip(asked, results, strict=True)
            if result.next_page_token
        ]
        if not asked:
            return
    raise RuntimeError(f"{client.base_url} gives more than {MAX_PAGES} pages")


def _look_up(client: httpx2.Client, name: str) -> _Vulnerability:
    """Return what the service says of a vulnerability; of one that it gives no answer for, the name is enough."""
    try:
        answer = client.get(f"/v1/vulns/{name}").raise_for_status()
        return _Vulnerability.model_validate_json(answer.content)
    except (httpx2.HTTPError, ValidationError):
        return _Vulnerability(id=name)


def _fixed(vulnerability: _Vulnerability, package: str) -> list[str]:
    return sorted(
        {
            event["fixed"]
            for affected in vulnerability.affected
            if canonicalize_name(affected.get("package", {}).get("name", "")) == package
            for versions in affected.get("ranges", ())
            if versions.get("type") == "ECOSYSTEM"
            for event in versions.get("events", ())
            if "fixed" in event
        }
    )


def judge(found: list[Finding], accepted: list[Accepted], today: date) -> tuple[list[str], bool]:
    """Return what to print, and whether every finding is accepted."""
    lines, fine, used = [], True, set()
    for finding in found:
        title = f"{finding.package} {finding.version}: {', '.join(sorted(finding.names))}"
        described = ". ".join(
            [finding.summary or "no summary", f"Fixed in {', '.join(finding.fixed) or 'no version'}."]
        )
        entries = [each for each in accepted if each.package == finding.package and each.id in finding.names]
        used |= set(entries)
        if valid := [each for each in entries if today <= each.until]:
            lines.append(f"accepted until {valid[0].until}: {title}. {described}\n  Reason: {valid[0].reason}")
            continue
        fine = False
        ended = f"\n  It was accepted until {entries[0].until}: {entries[0].reason}" if entries else ""
        lines.append(f"VULNERABLE: {title}. {described}{ended}")
    lines += [f"no longer found, to be removed: {each.package} {each.id}" for each in accepted if each not in used]
    return lines, fine


def main(arguments: list[str] | None = None) -> int:
    """Print what was found, and return the exit status."""
    parser = argparse.ArgumentParser(description="Known vulnerabilities of the packages that june locks.")
    parser.add_argument("--service", default=SERVICE, help="address of a service that speaks OSV's API")
    parser.add_argument("--accepted", default=ACCEPTED, type=Path, help="file of what is accepted, with reasons")
    parser.add_argument("--required", action="store_true", help="fail where no service is reached")
    options = parser.parse_args(arguments)
    listed = tomllib.loads(options.accepted.read_text(encoding="utf-8")).get("accepted", [])
    accepted = TypeAdapter(list[Accepted]).validate_python(listed)
    packages = locked()
    try:
        found = findings(options.service, packages)
    except NotAuditedError as error:
        said = f"NOT AUDITED: {options.service} did not answer as a vulnerability service does ({error}).\n"
        said += f"  Nothing is known of these {len(packages)} packages; run make audit where it can be reached.\n"
        sys.stdout.write(said)
        return int(options.required)
    lines, fine = judge(found, accepted, datetime.now(UTC).date())
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.write(f"{len(packages)} packages audited by {options.service}: {len(found)} known vulnerabilities.\n")
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
