"""Runs the attempts on the backends at hand, and writes what came of it into ``docs/sandbox.md``.

``python -m tests.activities.sandbox.escapes [--backend NAME] [--only ATTEMPT] [--json] [--write]``
"""

import argparse
import asyncio
import io
import json
import os
import socket
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from activities.sandbox.backends import open_backend
from activities.sandbox.launching import NOTHING
from activities.sandbox.owner import this_worker
from activities.sandbox.sandbox import Command, ExecResult, SandboxError, Sandboxes, SandboxLimits
from activities.sandbox.shared_files import find_python
from tests.activities.sandbox.attempts import ATTEMPTS, PRELUDE, Attempt

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs" / "sandbox.md"
BEGIN, END = "<!-- escapes: begin -->", "<!-- escapes: end -->"
UID = 61071
"""First of the user ids of commands, where the tests run as root: not those of other tests."""
USER = 61090
"""An unprivileged user, as whom june runs in one of the variants."""
LIMITS = SandboxLimits(
    memory_bytes=192 << 20,
    processes=32,
    workspace_bytes=16 << 20,
    workspace_files=500,
    output_bytes=16 << 10,
    seconds=20.0,
)
SECRET = "j7-" + "not-for-commands"
ABSTRACT = f"june-escapes-{os.getpid()}"
VARIANTS = ("bubblewrap, june as root", "bubblewrap, june as a user", "podman", "docker", "podman with gVisor")
SETTINGS = tuple(
    Path("/proc/sys", name)
    for name in (
        *("kernel/core_pattern", "kernel/hostname", "kernel/pid_max", "kernel/modprobe", "kernel/panic"),
        *("vm/swappiness", "vm/overcommit_memory", "fs/file-max", "user/max_user_namespaces", "net/ipv4/ip_forward"),
    )
)
GONE_SECONDS = 15.0


class Verdict(NamedTuple):
    """What came of an attempt on a backend."""

    name: str
    faults: tuple[str, ...]
    """Empty where it was held, and nothing is left."""
    output: str
    seconds: float


class Machine(NamedTuple):
    """What of this machine an attempt must not have changed, and what it is to find out."""

    marker: Path
    service: socket.socket
    abstract: socket.socket

    @classmethod
    @contextmanager
    def prepared(cls) -> Iterator["Machine"]:
        """Put a secret into a file that everybody may read, and into the environment; listen on two sockets."""
        with (
            tempfile.TemporaryDirectory(prefix="june-escapes-") as folder,
            socket.create_server(("127.0.0.1", 0)) as service,
            socket.socket(socket.AF_UNIX) as abstract,
        ):
            marker = Path(folder) / "marker"
            Path(folder).chmod(0o755)
            marker.write_text(SECRET)
            abstract.bind("\0" + ABSTRACT)
            abstract.listen()
            service.setblocking(False)
            abstract.setblocking(False)
            os.environ["JUNE_ESCAPES"] = SECRET
            try:
                yield cls(marker, service, abstract)
            finally:
                del os.environ["JUNE_ESCAPES"]

    def program(self, attempt: Attempt, *, strict: bool) -> str:
        """Return an attempt's program; ``strict`` where the kernel is Linux, which hides process 1."""
        known = f"MARKER, PORT, ABSTRACT = {str(self.marker)!r}, {self.service.getsockname()[1]}, {ABSTRACT!r}\n"
        known += f"STRICT = {strict}\n"
        known += f"HOST_PID, PROCESSES, MEMORY, DISK = {os.getpid()}, {LIMITS.processes}, {LIMITS.memory_bytes}, "
        return f"{PRELUDE}{known}{LIMITS.workspace_bytes}\n{attempt.code}"

    def state(self) -> dict[str, object]:
        """Read what must be the same before and after."""
        return {
            "settings": {path.name: path.read_text() for path in SETTINGS if path.exists()},
            "marker": self.marker.read_text(),
            # Those of containers are another test's, or go with the container.
            "mounts": sum("/containers/" not in line for line in Path("/proc/self/mountinfo").open()),
            "folders": len(list(Path(tempfile.gettempdir()).glob(f"june-sandbox-{this_worker()}*"))),
            "processes": sorted(processes()),
            "cgroups": [name for _, names, _ in os.walk("/sys/fs/cgroup") for name in names if this_worker() in name],
        }

    def connections(self) -> list[str]:
        """Name the sockets that somebody has connected to."""
        found = []
        for name, listener in (("service", self.service), ("abstract socket", self.abstract)):
            try:
                listener.accept()[0].close()
                found.append(name)
            except BlockingIOError:
                pass
        return found


def processes() -> Iterator[str]:
    """Find processes of sandboxes: what this one has started, and those of the users that commands run as."""
    own = psutil.Process()
    ours = {process.pid for process in own.children(recursive=True)}
    for process in psutil.process_iter(["uids", "name", "status"]):
        uids = process.info["uids"]
        pool = uids is not None and UID <= uids.real < UID + 2
        if (pool or process.pid in ours) and process.info["status"] != psutil.STATUS_ZOMBIE:
            yield f"{process.pid} {process.info['name']}"


def held_in(result: ExecResult, attempt: Attempt, archive: bytes, *, strict: bool) -> Iterator[str]:
    """Name what is wrong with what came back."""
    if "ESCAPED" in result.output or SECRET in result.output:
        yield next(line for line in result.output.splitlines() if "ESCAPED" in line or SECRET in line)
    if "begun" not in result.output:
        yield f"it did not begin: {result}"
    if "SyntaxError" in result.output or "NameError" in result.output:
        yield f"the attempt itself is wrong: {result.output[-500:]}"
    ended = "time" if result.timed_out else "memory" if result.out_of_memory else ""
    ended = "files" if any("more files" in remark for remark in result.remarks) and not ended else ended
    other = not strict and (attempt.ends, ended) == ("files", "time")  # gVisor's tmpfs does not count its files
    if attempt.ends not in ("?", ended) and not other and not (ended == "memory" and not attempt.ends):
        yield f"ended by {ended!r}: {result}"
    if attempt.exits is not None and result.exit_code != attempt.exits:
        yield f"exit code {result.exit_code}: {result}"
    kept = not any("as it was before" in remark for remark in result.remarks)
    if attempt.keeps is not None and kept is not attempt.keeps:
        yield f"workspace kept: {kept}: {result.remarks}"
    if len(result.output) > 2 * LIMITS.output_bytes:
        yield "too much output"
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            outside = member.issym() and os.path.normpath(
                os.path.join(os.path.dirname(member.name), member.linkname)  # noqa: PTH118, PTH120 - names
            ).startswith(("..", "/"))
            if not (member.isfile() or member.isdir() or member.issym()) or outside or ".git" in member.name.split("/"):
                yield f"in the archive: {member.name}"
            if member.isfile() and SECRET in (members.extractfile(member) or io.BytesIO()).read().decode(
                errors="replace"
            ):
                yield f"the secret is in {member.name}"


async def run(sandboxes: Sandboxes, machine: Machine, attempt: Attempt, *, strict: bool) -> Verdict:
    """Make one attempt in a sandbox of its own; under gVisor a command may end its own sandbox."""
    before = machine.state()
    began = time.monotonic()
    sandbox = await sandboxes.create(attempt.name, NOTHING, LIMITS)
    try:
        program = ("python3", "-c", machine.program(attempt, strict=strict))
        result = await sandbox.exec(Command(program, seconds=attempt.seconds))
        faults = list(held_in(result, attempt, await sandbox.snapshot(), strict=strict))
        output = result.output
    except SandboxError as error:
        faults, output = [f"{error.code}: {error}"] if strict or error.code != "sandbox-died" else [], str(error)
    finally:
        await sandbox.destroy()
    seconds = time.monotonic() - began
    faults += [f"connected: {name}" for name in machine.connections()]
    until = time.monotonic() + GONE_SECONDS
    while (after := machine.state()) != before and time.monotonic() < until:  # noqa: ASYNC110 - of other processes
        await asyncio.sleep(0.1)
    faults += [f"{name}: {before[name]} became {after[name]}" for name in before if before[name] != after[name]]
    return Verdict(attempt.name, tuple(faults), output, seconds)


def sandboxes_of(variant: str) -> Sandboxes:
    """Return the backend of a variant, as this process's user."""
    if variant.startswith("bubblewrap"):
        return open_backend("bubblewrap", uid=UID)
    runtime = ""
    if "gVisor" in variant:
        path = Path(tempfile.gettempdir(), f"june-runsc-{os.getuid()}")  # an engine passes a runtime no options
        path.write_text('#!/bin/sh\nexec runsc --network=none --ignore-cgroups "$@"\n')
        path.chmod(0o700)
        runtime = str(path)
    return open_backend("docker" if variant == "docker" else "podman", uid=UID, runtime=runtime)


async def run_all(variant: str, only: str = "") -> list[Verdict]:
    """Make all attempts on a backend.

    Raises:
        SandboxError: it is not at hand; the sentence says why, and what to do.

    """
    if variant == "bubblewrap, june as a user" and os.geteuid() == 0:
        return await run_as_user(only)
    if variant == "bubblewrap, june as root" and os.geteuid() != 0:
        raise SandboxError("sandbox-unavailable", "Run the tests as root for this.")
    sandboxes = sandboxes_of(variant)
    await sandboxes.isolation()
    with Machine.prepared() as machine:
        chosen = [attempt for attempt in ATTEMPTS if only in ("", attempt.name)]
        return [await run(sandboxes, machine, one, strict="gVisor" not in variant) for one in chosen]


async def run_as_user(only: str) -> list[Verdict]:
    """Make them in a process of an unprivileged user, by an interpreter that one can reach."""
    words = (str(find_python()), "-m", __spec__.name, "--backend", VARIANTS[1], "--json", "--only", only)
    search = f"{ROOT}{os.pathsep}{sysconfig.get_path('purelib')}"
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd="/",
        env={"PYTHONPATH": search, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        user=USER,
        group=USER,
        extra_groups=[],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode:
        said = errors.decode(errors="replace").strip().splitlines() or ["no answer"]
        sentence = f"An unprivileged user cannot run june here: {said[-1]}"
        raise SandboxError("sandbox-unavailable", sentence)
    return [Verdict(**found | {"faults": tuple(found["faults"])}) for found in json.loads(output)]


def table(results: dict[str, list[Verdict]]) -> str:
    """Write the table of all attempts; a backend that was not at hand has no column."""
    faults = {name: {verdict.name: verdict.faults for verdict in verdicts} for name, verdicts in results.items()}
    lines = [f"| Tried | What stops it | {' | '.join(results)} |", "|---" * (len(results) + 2) + "|"]
    for attempt in ATTEMPTS:
        cells = ["**not held**" if faults[name][attempt.name] else "held" for name in results]
        words = f"**{attempt.name}**: {attempt.tried}".replace("|", "\\|")
        lines.append(f"| {words} | {attempt.stopped_by} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write(results: dict[str, list[Verdict]]) -> None:
    """Put the table into the page."""
    before, _, rest = DOCS.read_text().partition(BEGIN)
    DOCS.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{rest.partition(END)[2]}")


async def main() -> int:
    """Run as a command; 1 where an attempt succeeded."""
    parser = argparse.ArgumentParser(prog="python -m tests.activities.sandbox.escapes", description=__doc__)
    parser.add_argument("--backend", choices=VARIANTS, action="append")
    parser.add_argument("--only", default="", choices=("", *(attempt.name for attempt in ATTEMPTS)))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    results: dict[str, list[Verdict]] = {}
    for variant in options.backend or VARIANTS:
        try:
            results[variant] = await run_all(variant, options.only)
        except SandboxError as error:
            sys.stderr.write(f"{variant}: {error}\n")
            if options.json:
                return 2
    if options.json:
        sys.stdout.write(json.dumps([verdict._asdict() for verdicts in results.values() for verdict in verdicts]))
        return 0
    for variant, verdicts in results.items():
        failed = [verdict for verdict in verdicts if verdict.faults]
        for verdict in failed:
            sys.stdout.write(f"{variant}: {verdict.name}: {'; '.join(verdict.faults)}\n")
        took = sum(verdict.seconds for verdict in verdicts)
        sys.stdout.write(f"{variant}: {len(verdicts) - len(failed)} of {len(verdicts)} held, {took:.0f} s\n")
    if options.write:
        write(results)
    return int(any(verdict.faults for verdicts in results.values() for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
