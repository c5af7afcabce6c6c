"""Cgroups: what the kernel says of them, and real ones where this user may create them."""

import asyncio
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from activities.sandbox.cgroups import PREFIX, Cgroup, Mount, Parent, find_parent, mounts, own_path

MOUNTINFO = """\
24 30 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw
35 24 0:29 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
36 24 0:30 /docker/x /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory
37 24 0:31 / /sys/fs/cgroup/pids rw - cgroup none rw,pids,xattr
"""


def test_hierarchies_are_found() -> None:
    assert list(mounts(MOUNTINFO)) == [
        Mount(Path("/sys/fs/cgroup"), 2, "/", ("rw", "nsdelegate")),
        Mount(Path("/sys/fs/cgroup/memory"), 1, "/docker/x", ("rw", "memory")),
        Mount(Path("/sys/fs/cgroup/pids"), 1, "/", ("rw", "pids", "xattr")),
    ]


def test_the_own_cgroup_is_found() -> None:
    text = "9:name=systemd:/\n8:pids,rdma:/a\n4:memory:/b:c\n0::/d\n"
    assert [own_path(text, name) for name in ("pids", "memory", "", "cpu")] == ["/a", "/b:c", "/d", "/"]


async def test_processes_are_bounded_and_the_cgroup_removed_with_them() -> None:
    parent = find_parent()
    if parent is None:
        pytest.skip("this user may create no cgroups: run the tests as root")
    cgroup = parent.create()
    try:
        cgroup.limit(64 << 20, 3)
        shell = await asyncio.create_subprocess_exec("sh", stdin=PIPE, stderr=PIPE)
        cgroup.add(shell.pid)
        _, errors = await shell.communicate(b"exec 1>&-; for i in 1 2 3 4 5; do sleep 60 2>&- & done")
        assert b"ork" in errors  # "Cannot fork", in dash's words
        assert cgroup.oom_kills() == 0
    finally:
        await cgroup.remove()
    assert not any(folder.exists() for folder in cgroup.folders)


async def test_what_a_dead_worker_left_is_removed() -> None:
    parent = find_parent()
    if parent is None:
        pytest.skip("this user may create no cgroups: run the tests as root")
    dead, living = f"{PREFIX}00000000-1-2-3.0", parent.create()
    for folder in parent.folders:
        (folder / dead).mkdir()
    left = await asyncio.create_subprocess_exec("sleep", "60")
    Cgroup(tuple(folder / dead for folder in parent.folders), parent.version).add(left.pid)
    while parent.reap():  # a process is in it until the kernel is done with it
        await left.wait()
    assert not any((folder / dead).exists() for folder in parent.folders)
    assert all(folder.exists() for folder in living.folders)
    await living.remove()


def test_a_cgroup_is_created_in_all_hierarchies_or_in_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Parent((tmp_path, tmp_path / "not there"), 1).create()
    assert list(tmp_path.iterdir()) == []


def test_limits_of_both_versions(tmp_path: Path) -> None:
    for version, names in {1: ("memory.limit_in_bytes", "pids.max"), 2: ("memory.max", "pids.max")}.items():
        folder = tmp_path / str(version)
        folder.mkdir()
        for name in (*names, "memory.events"):
            (folder / name).write_text("low 0\noom 2\noom_kill 1\n")
        cgroup = Cgroup((folder,), version)
        cgroup.limit(1000, 7)
        assert [(folder / name).read_text() for name in names] == ["1000", "7"]
        assert cgroup.oom_kills() == 1
