"""Bubblewrap's own: which program, which user, what is seen. ``test_sandbox`` and ``test_escapes`` run commands."""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest

from activities.sandbox.bubblewrap import BubblewrapSandboxes, arguments
from activities.sandbox.launching import NOTHING
from activities.sandbox.sandbox import Command, SandboxError, SandboxLimits
from activities.sandbox.shared_files import SharedFiles
from tests.support.waiting import until


def test_nothing_of_the_machine_is_seen_but_usr() -> None:
    words = arguments(SharedFiles(Path("/tmp/june"), Path("/usr/bin/python3")), SandboxLimits())  # noqa: S108
    sources = [words[at + 1] for at, word in enumerate(words) if "bind" in word]
    system = {f"/{name}" for name in ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")}
    assert {source for source in sources if not source.startswith("/tmp/june/")} <= system  # noqa: S108
    assert all(word == "--ro-bind" for word in words if "bind" in word)
    assert words.count("--size") == words.count("--tmpfs") == 3
    assert words[-6:-2] == ["--remount-ro", "/dev", "--remount-ro", "/"]


async def test_a_program_that_is_no_bubblewrap_is_not_used(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    for version, sentence in {"0.6.1": "bubblewrap 0.6.1 is too old", "": "is not there"}.items():
        program.write_text(f"#!/bin/sh\necho {version and 'bubblewrap'} {version}\n")
        program.chmod(0o755)
        with pytest.raises(SandboxError, match=sentence):
            await BubblewrapSandboxes(bwrap=str(program), packages=()).isolation()


@pytest.mark.slow
async def test_the_one_that_comes_with_june_serves_where_the_system_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    try:
        isolation = await BubblewrapSandboxes(uid=61085, packages=()).isolation()
    except SandboxError as error:
        pytest.skip(str(error))
    assert isolation.backend == "bubblewrap 0.11.0"


@pytest.mark.slow
async def test_commands_run_as_another_user_than_root() -> None:
    backend = BubblewrapSandboxes(uid=61085, slots=1, packages=())
    try:
        await backend.isolation()
    except SandboxError as error:
        pytest.skip(str(error))
    sandbox = await backend.create("user", NOTHING, SandboxLimits())
    expected = 61085 if os.geteuid() == 0 else os.geteuid()
    seen: list[psutil.Process] = []

    def found() -> bool:
        processes = psutil.Process().children(recursive=True)
        seen[:] = [process for process in processes if process.cmdline()[:2] == ["sleep", "2.5"]]
        return bool(seen)

    task = asyncio.create_task(sandbox.exec(Command(("sleep", "2.5"))))
    await until(found)
    assert {uid for process in seen for uid in (*process.uids(), *process.gids())} == {expected}
    assert (await task).exit_code == 0


@pytest.mark.slow
async def test_no_command_is_run_where_a_part_of_the_isolation_is_missing(tmp_path: Path) -> None:
    real = shutil.which("bwrap")
    if not real:
        pytest.skip("needs the system's bubblewrap: apt install bubblewrap")
    program = Path(tempfile.mkdtemp(prefix="june-test-")) / "bwrap"  # where another user reaches it
    program.parent.chmod(0o755)
    try:
        for option, lacking in {"--unshare-net": "network namespace", "--as-pid-1": "pid namespace"}.items():
            program.write_text(
                f'#!/bin/bash\nwords=" $* "; [ "$1" = --version ] && exec {real} --version\n'
                f"exec {real} ${{words/ {option} / }}\n"
            )
            program.chmod(0o755)
            backend = BubblewrapSandboxes(bwrap=str(program), uid=61085, packages=())
            with pytest.raises(SandboxError, match=f"not in force: {lacking}") as caught:
                await backend.isolation()
            assert caught.value.code == "sandbox-unavailable"
    finally:
        shutil.rmtree(program.parent)
