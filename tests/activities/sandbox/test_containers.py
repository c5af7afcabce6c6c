"""Containers' own: what the engine is asked for. ``test_sandbox`` and ``test_escapes`` run commands in them."""

import stat
import time
from pathlib import Path

import pytest

from activities.sandbox.containers import UNTIL, WORKER, ContainerSandboxes
from activities.sandbox.launching import NOTHING
from activities.sandbox.owner import this_worker
from activities.sandbox.sandbox import SandboxError, SandboxLimits

ENGINE = """\
#!/bin/sh
echo "$@" >> "$0.calls"
case "$1" in
version) echo '{"Client": {CLIENT}, "Server": {"Version": "28.2"}}';;
info) echo runc;;
ps) cat "$0.containers";;
image) IMAGE;;
rm) ;;
*) echo "no such runtime" >&2; exit 125;;
esac
"""


def engine(folder: Path, client: str = '{"ApiVersion": "1.41"}', image: str = "true") -> Path:
    """Write an engine that only keeps what it is asked for."""
    path = folder / "engine"
    path.write_text(ENGINE.replace("{CLIENT}", client).replace("IMAGE", image))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def asked(path: Path) -> str:
    """Return what an engine was asked for, a line a call."""
    return path.with_name("engine.calls").read_text()


@pytest.mark.parametrize(
    ("client", "own"), [('{"ApiVersion": "1.41"}', ()), ('{"APIVersion": "4.3.1", "Version": "4.3.1"}', ("podman",))]
)
async def test_the_engine_is_asked_for_all_of_the_isolation(tmp_path: Path, client: str, own: tuple[str, ...]) -> None:
    path = engine(tmp_path, client)
    backend = ContainerSandboxes(str(path), image="mine", runtime="runsc", uid=61005)
    with pytest.raises(SandboxError, match=r"no such runtime.*runsc \(JUNE_SANDBOX_RUNTIME\)") as caught:
        await backend.isolation()
    assert caught.value.code == "sandbox-unavailable"
    calls = asked(path)
    run = next(line for line in calls.splitlines() if line.startswith("run "))
    for wanted in (
        "--network none --read-only --cap-drop ALL --security-opt no-new-privileges",
        "--pids-limit 65 ",
        "--tmpfs /workspace:rw,exec,nosuid,nodev,mode=1777,size=",
        "--user 61005:61005",
        f"--label {WORKER}={this_worker()} --label {UNTIL}=",
        "--runtime runsc --entrypoint python3 mine -I -S -B",
        "--pull never",
        "--log-driver none",
    ):
        assert wanted in run
    assert ("--read-only-tmpfs=false" in run) is bool(own)
    assert "--privileged" not in run
    assert "volume" not in run
    removal = next((line for line in calls.splitlines() if line.startswith("rm ")), "")
    assert not removal or ("--time 0" in removal) is bool(own)


async def test_an_image_that_is_not_there_is_named_with_how_to_build_it(tmp_path: Path) -> None:
    path = engine(tmp_path, image="echo no such image >&2; exit 1")
    with pytest.raises(SandboxError, match=r"no such image Build it: `.*engine build -t mine -f docker/sandbox"):
        await ContainerSandboxes(str(path), image="mine").create("a", NOTHING, SandboxLimits())


async def test_containers_of_dead_workers_and_those_past_their_time_are_removed(tmp_path: Path) -> None:
    path, now = engine(tmp_path), time.time()
    listed = path.with_name("engine.containers")
    listed.write_text(
        f"one {this_worker()} {now + 60:.0f}\n"
        f"two {this_worker()} {now - 60:.0f}\n"
        f"three 00000000-1-2-3 {now + 60:.0f}\n"
        f"four somebody {now + 60:.0f}\n"
    )
    assert await ContainerSandboxes(str(path)).reap() == 2
    assert "rm --force two three" in asked(path)
