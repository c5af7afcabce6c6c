"""The worker's side of the launcher: nothing that comes back is believed. Real processes, some of which lie."""

import asyncio
import json
import struct
import sys
import zlib
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from activities.sandbox.launching import (
    NOTHING,
    Confinement,
    Launched,
    LaunchedSandbox,
    build_request,
    cgroup_bytes,
    scratch_bytes,
    tmpfs_bytes,
)
from activities.sandbox.sandbox import Command, SandboxError, SandboxLimits

LIMITS = SandboxLimits(workspace_bytes=1000, workspace_files=2, output_bytes=100, seconds=5)
HELLO = {
    "pid": 1,
    "uid": 1000,
    "seccomp": True,
    "no_new_privileges": True,
    "user_namespace": True,
    "interfaces": ["lo"],
    "read_only": ["/"],
    "memory_limit": None,
    "python": "3.11.2",
    "kernel": "6.1",
}
END = {"status": 0, "ended_by": "", "written": 2, "seconds": 0.5, "problem": "", "skipped": []}
LIAR = """
import json, struct, sys, zlib
from activities.sandbox.launcher import sign
request = json.loads(sys.stdin.buffer.read(struct.unpack(">I", sys.stdin.buffer.read(4))[0]))
data, key, number = zlib.decompress(bytes.fromhex(sys.argv[1])), bytes.fromhex(request["key"]), 0
while data:
    size = 5 + (struct.unpack(">I", data[1:5])[0] if len(data) >= 5 else 0)
    frame, data = data[:size], data[size:]
    whole = len(frame) == size and sys.argv[2] != "unsigned"
    sys.stdout.buffer.write(frame + (sign(key, number, frame) if whole else bytes(16)))
    number += sys.argv[2] != "repeated"
sys.stdout.flush()
sys.stderr.write("some\\n  reason")
"""


def frame(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">cI", kind, len(data)) + data


def said(*, hello: dict[str, object] | None = None, **end: object) -> bytes:
    """Write what a launcher says of a command that prints ``hi``."""
    return b"".join(
        (
            frame(b"h", json.dumps(HELLO if hello is None else hello).encode()),
            frame(b"o", b"hi"),
            frame(b"t", b""),
            frame(b"w", b"archive"),
            frame(b"e", json.dumps(END | end).encode()),
        )
    )


class Liar:
    """A backend whose launcher says what it is told to."""

    def __init__(self, data: bytes, killed: int = 0, lie: str = "") -> None:
        self.data = data
        self.killed = killed
        self.lie = lie

    @asynccontextmanager
    async def launch(self, limits: SandboxLimits) -> AsyncIterator[Launched]:  # noqa: ARG002 - a backend's
        words = (sys.executable, "-S", "-c", LIAR, zlib.compress(self.data).hex(), self.lie)
        process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        yield Launched(process, Confinement((), b""), lambda: self.killed)
        if process.returncode is None:
            process.kill()
        await process.wait()


def sandbox(data: bytes, killed: int = 0, lie: str = "") -> LaunchedSandbox:
    return LaunchedSandbox("name", NOTHING, LIMITS, Liar(data, killed, lie))


async def test_what_a_launcher_says_is_told() -> None:
    one = sandbox(said(skipped=["x: too deep"], status=3 << 8))
    result = await one.exec(Command(("true",)))
    assert (result.exit_code, result.output, result.seconds) == (3, "hi", 0.5)
    assert result.remarks == ("Not kept in the workspace: x: too deep.",)
    assert await one.snapshot() == b"archive"


async def test_a_workspace_that_is_refused_is_as_before() -> None:
    one = sandbox(said(problem="it is too large", ended_by="files", status=None))
    result = await one.exec(Command(("true",)))
    assert result.exit_code is None
    assert len(result.remarks) == 2
    assert await one.snapshot() == NOTHING


async def test_memory_that_the_kernel_bounds_is_told_too() -> None:
    assert (await sandbox(said(), killed=1).exec(Command(("true",)))).out_of_memory


@pytest.mark.parametrize(
    ("data", "code", "sentence"),
    [
        (b"", "sandbox-unavailable", "some reason"),
        (frame(b"h", b"{}"), "sandbox-unavailable", "some reason"),
        (frame(b"h", b"no JSON"), "sandbox-unavailable", "some reason"),
        (frame(b"x", b"seccomp, read-only root"), "sandbox-unavailable", "not in force: seccomp, read-only root"),
        (said()[:-1], "sandbox-died", "some reason"),
        (said(status="nonsense"), "sandbox-died", "some reason"),
        (frame(b"h", json.dumps(HELLO).encode()) + frame(b"o", bytes(101)), "sandbox-died", "some reason"),
        (frame(b"h", json.dumps(HELLO).encode()) + frame(b"w", bytes(60_000)) * 2, "sandbox-died", "some reason"),
        (frame(b"h", json.dumps(HELLO).encode()) + struct.pack(">cI", b"w", 2**32 - 1), "sandbox-died", "some reason"),
    ],
)
async def test_what_no_launcher_says_is_an_error_of_the_sandbox(data: bytes, code: str, sentence: str) -> None:
    one = sandbox(data)
    with pytest.raises(SandboxError, match=sentence) as caught:
        await one.exec(Command(("true",)))
    assert caught.value.code == code
    assert await one.snapshot() == NOTHING


@pytest.mark.parametrize(("lie", "code"), [("unsigned", "sandbox-unavailable"), ("repeated", "sandbox-died")])
async def test_what_is_not_signed_by_the_launcher_counts_for_nothing(lie: str, code: str) -> None:
    one = sandbox(said(), lie=lie)
    with pytest.raises(SandboxError) as caught:
        await one.exec(Command(("true",)))
    assert caught.value.code == code
    assert await one.snapshot() == NOTHING


async def test_a_sandbox_that_was_killed_for_memory_says_so() -> None:
    with pytest.raises(SandboxError, match="ended for memory"):
        await sandbox(frame(b"h", json.dumps(HELLO).encode()), killed=1).exec(Command(("true",)))


def test_limits_become_a_request() -> None:
    command = Command(("echo", "ü"), b"in", seconds=99.0)
    data = build_request(
        command, LIMITS, Confinement(("seccomp",), b"12345678", 1 << 20, 7, 0, (("A", "b"),)), 512, b"k"
    )
    assert struct.unpack(">I", data[:4])[0] == len(data) - 4
    request = json.loads(data[4:])
    assert request["seconds"] == 5
    assert request["environment"]["A"] == "b"
    assert request["environment"]["TZ"] == "UTC"
    assert request["rlimits"]["RLIMIT_NPROC"] == 8
    assert request["rlimits"]["RLIMIT_AS"] == request["watched_memory"] == 1 << 20
    assert (request["head"] + request["tail"], request["stdin_bytes"], request["archive_bytes"]) == (100, 2, 512)
    bounded = json.loads(build_request(command, LIMITS, Confinement((), b""), 512, b"k")[4:])
    assert {"RLIMIT_NPROC", "RLIMIT_AS"}.isdisjoint(bounded["rlimits"])


def test_file_systems_fit_into_the_memory() -> None:
    for limits in (SandboxLimits(), LIMITS, SandboxLimits(memory_bytes=64 << 20, workspace_bytes=2048 << 20)):
        tmp, shm = scratch_bytes(limits)
        assert tmp + shm < limits.memory_bytes
        assert cgroup_bytes(limits) > limits.memory_bytes + tmpfs_bytes(limits)
