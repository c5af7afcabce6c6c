# ruff: noqa: PTH101, PTH117, PTH118, PTH120, PTH123, PTH208 - by descriptors, and no more modules than are needed
"""Runs one command in a sandbox: process 1 of it, on the standard library alone (Python 3.9 or newer).

On standard input it gets a request, the workspace as a tar archive, and what the command is to read; the input stays
open, and its end is the sandbox's. On standard output it says what is in force, then what the command printed, what
the workspace is afterwards, and how the command ended, in frames of a kind (one byte), a length (four), the data and
a signature (16) by a key of the request, as there are kernels (gVisor's) that let a command open process 1's pipes.

The command is not believed in anything. Its processes have none of these two pipes, can neither trace nor signal
process 1 (which is not dumpable, and whom the kernel spares), and are dead before the workspace is packed. Where the
isolation that the request asks for is not there, no command is run.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import errno
import hashlib
import json
import os
import resource
import select
import signal
import stat
import struct
import sys
import tarfile
import time
from typing import Any

HELLO, REFUSED, OUTPUT, REST, ARCHIVE, END = b"h", b"x", b"o", b"t", b"w", b"e"
HEADER = struct.Struct(">cI")
LENGTH = struct.Struct(">I")
SIGNATURE_BYTES = 16
CHUNK = 64 << 10
TICK_MS = 50
"""Between two looks at what the command uses."""
DEEPEST = 64
"""Folders of a path, with its name."""
LONGEST_PATH = 1000
NAMED = 20
"""Files that are named of those that could not be kept."""
LEFT_OUT = (".git",)
CACHES = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")
PR_SET_DUMPABLE, PR_GET_SECCOMP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 4, 21, 22, 38, 39
SECCOMP_MODE_FILTER = 2
NOT_FOUND, NOT_STARTED = 127, 126
OOM_COUNTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class TooLargeError(Exception):
    """The workspace is above its limits."""


class Program(ctypes.Structure):
    """A seccomp filter (``struct sock_fprog``)."""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


class Pipe:
    """The pipes to and from the worker, which the command does not have."""

    def __init__(self) -> None:
        """Move them away from standard input and output, into which a command of today looks."""
        self.source = os.dup(0)
        self.sink = os.dup(1)
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        self.key = b""
        self._written = 0

    def read(self, size: int) -> bytes:
        """Read exactly so many bytes.

        Raises:
            EOFError: the worker has closed it.

        """
        data = bytearray()
        while len(data) < size:
            piece = os.read(self.source, min(CHUNK, size - len(data)))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def write(self, kind: bytes, data: bytes) -> None:
        """Write a frame."""
        frame = HEADER.pack(kind, len(data)) + data
        left = memoryview(frame + sign(self.key, self._written, frame))
        self._written += 1
        while left:
            left = left[os.write(self.sink, left) :]


def sign(key: bytes, number: int, frame: bytes) -> bytes:
    """Return the signature of a frame with its number: none can be put in, left out or repeated."""
    return hashlib.blake2b(frame, key=key, digest_size=SIGNATURE_BYTES, salt=number.to_bytes(16, "big")).digest()


class Piece:
    """The next bytes of a pipe, as a file that ends."""

    def __init__(self, pipe: Pipe, size: int) -> None:
        """Begin with ``size`` bytes left."""
        self._pipe = pipe
        self.left = size

    def read(self, size: int) -> bytes:
        """Read at most so many bytes."""
        data = self._pipe.read(min(size, self.left))
        self.left -= len(data)
        return data


def confine(libc: ctypes.CDLL, filter_code: bytes) -> None:
    """Give up what this process, and all that it starts, does not need."""
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody else reads /proc/1/mem, /proc/1/fd, /proc/1/environ
    for number in (signal.SIGINT, signal.SIGXFSZ):  # without a handler the kernel keeps signals from process 1
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o022)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if filter_code:
        program = Program(len(filter_code) // 8, filter_code)
        if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp")


def facts(libc: ctypes.CDLL) -> dict[str, Any]:
    """Read what isolates this process: from the kernel, not from what was asked for."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        status = dict(line.split(":", 1) for line in file if ":" in line)
    with open("/proc/net/dev", encoding="ascii") as file:
        interfaces = [line.split(":")[0].strip() for line in file if ":" in line]
    with open("/proc/self/uid_map", encoding="ascii") as file:
        mapped = [line.split() for line in file]
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:  # statvfs(2) is silent under gVisor
        options = {words[1]: words[3].split(",") for words in map(str.split, file)}
    return {
        "pid": os.getpid(),
        "uid": os.getuid(),
        "capabilities": int(status.get("CapBnd", "0"), 16) | int(status.get("CapPrm", "0"), 16),
        "seccomp": libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER,
        "no_new_privileges": libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
        "interfaces": interfaces,
        "user_namespace": mapped != [["0", "0", "4294967295"]],
        "read_only": [path for path in options if "ro" in options[path]],
        "memory_limit": next((number for path in MEMORY_LIMITS for number in numbers(path, "")), None),
        "python": sys.version.split()[0],
        "kernel": os.uname().release,
    }


def missing(found: dict[str, Any], wanted: list[str]) -> list[str]:
    """Name what of the isolation that is asked for is not in force."""
    there = {
        "pid namespace": found["pid"] == 1,
        "network namespace": set(found["interfaces"]) <= {"lo"},
        "user namespace": found["user_namespace"],
        "unprivileged user": found["uid"] != 0,
        "no capabilities": not found["capabilities"],
        "seccomp": found["seccomp"],
        "no new privileges": found["no_new_privileges"],
        "read-only root": "/" in found["read_only"],
    }
    return [name for name in wanted if not there.get(name)]


def numbers(path: str, name: str) -> list[int]:
    """Read the numbers of a cgroup's file, of the line that begins with a name; none where it is not there."""
    try:
        with open(path, encoding="ascii") as file:
            lines = [line.split() for line in file]
    except OSError:
        return []
    return [int(words[-1]) for words in lines if words[-1].isdigit() and (not name or words[0] == name)]


def oom_kills() -> int:
    """Count the processes that the kernel has killed for memory, where the container's cgroup is seen."""
    return sum(sum(numbers(path, "oom_kill")) for path in OOM_COUNTS)


def unpack(pipe: Pipe, size: int, folder: str) -> None:
    """Unpack the archive that comes next on the pipe."""
    piece = Piece(pipe, size)
    trusted = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}  # new in 3.12, 3.11.4
    with tarfile.open(fileobj=piece, mode="r|", bufsize=CHUNK) as archive:  # type: ignore[call-overload]
        archive.extractall(folder, **trusted)  # noqa: S202 - nothing is in reach that is not the command's anyway
    while piece.left:
        piece.read(CHUNK)


class Packer:
    """Packs what the command has left, which may be anything: links are kept or left out, never followed."""

    def __init__(self, archive: tarfile.TarFile, max_bytes: int, max_files: int) -> None:
        """Begin with nothing taken."""
        self._archive = archive
        self._bytes_left = max_bytes
        self._files_left = max_files
        self.skipped: list[str] = []
        """What was left out and why; the first of it."""

    def folder(self, descriptor: int, path: str, depth: int) -> None:
        """Pack an open folder's content.

        Raises:
            TooLargeError: more bytes or files than allowed.

        """
        for name in sorted(os.listdir(descriptor)):
            inside = path + name
            if name in CACHES:
                continue
            reason = self._reason(name, inside, depth)
            if reason or not self._take(descriptor, name, inside, depth):
                self._skip(inside, reason or "no file, folder or link within the workspace")

    def _reason(self, name: str, path: str, depth: int) -> str:
        """Say why a path cannot be kept, whatever is there; empty if it can."""
        try:
            length = len(path.encode())
        except UnicodeEncodeError:
            return "its name is not UTF-8"
        if length > LONGEST_PATH or depth >= DEEPEST:
            return "too deep"
        return "left out of every workspace" if name in LEFT_OUT else ""

    def _take(self, descriptor: int, name: str, path: str, depth: int) -> bool:
        """Pack one entry; return False if it is nothing to keep."""
        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        entry = tarfile.TarInfo(path)
        entry.mtime = max(0, int(found.st_mtime))
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(name, dir_fd=descriptor)
            entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
            if not stays_inside(path, target):
                return False
        elif stat.S_ISDIR(found.st_mode):
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        elif stat.S_ISREG(found.st_mode):
            entry.size, entry.mode = found.st_size, 0o755 if found.st_mode & 0o100 else 0o644
        else:
            return False
        self._count(entry.size)
        if stat.S_ISLNK(found.st_mode):
            self._archive.addfile(entry)
            return True
        needed = 0o500 if stat.S_ISDIR(found.st_mode) else 0o400
        if found.st_mode & needed != needed:  # nobody is left who could put another file in its place
            os.chmod(name, 0o700, dir_fd=descriptor)
        inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=descriptor)
        try:
            if stat.S_ISDIR(found.st_mode):
                self._archive.addfile(entry)
                self.folder(inner, path + "/", depth + 1)
            else:
                with open(inner, "rb", closefd=False) as file:
                    self._archive.addfile(entry, file)
        finally:
            os.close(inner)
        return True

    def _count(self, size: int) -> None:
        self._bytes_left -= size
        self._files_left -= 1
        if self._bytes_left < 0:
            raise TooLargeError("it holds more bytes than a workspace may")
        if self._files_left < 0:
            raise TooLargeError("it holds more files than a workspace may")

    def _skip(self, path: str, reason: str) -> None:
        if len(self.skipped) < NAMED:
            name = path if len(path) <= 200 else path[:200] + "..."
            self.skipped.append(f"{name.encode(errors='replace').decode()}: {reason}")


def stays_inside(path: str, target: str) -> bool:
    """Check that a link at this path leads to somewhere in the workspace, by its text."""
    try:
        target.encode()
    except UnicodeEncodeError:
        return False
    end = os.path.normpath(os.path.join(os.path.dirname(path), target))
    return not os.path.isabs(target) and end != ".." and not end.startswith("../")


class Sink:
    """An archive's bytes on their way to the worker."""

    def __init__(self, pipe: Pipe) -> None:
        """Write to this pipe."""
        self._pipe = pipe

    def write(self, data: bytes) -> int:
        """Write a frame of the archive."""
        self._pipe.write(ARCHIVE, bytes(data))
        return len(data)


class Output:
    """What the command prints: its beginning goes to the worker at once, its end is kept."""

    def __init__(self, pipe: Pipe, head: int, tail: int) -> None:
        """Send ``head`` bytes, keep ``tail``."""
        self._pipe = pipe
        self._head_left = head
        self._max_tail = tail
        self._tail = bytearray()
        self.written = 0

    def write(self, data: bytes) -> None:
        """Append data, in bounded memory."""
        self.written += len(data)
        head, rest = data[: self._head_left], data[self._head_left :]
        if head:
            self._head_left -= len(head)
            self._pipe.write(OUTPUT, head)
        self._tail += rest
        if len(self._tail) > 2 * self._max_tail + CHUNK:
            del self._tail[: -self._max_tail]

    def rest(self) -> bytes:
        """Return the end."""
        return bytes(self._tail[-self._max_tail :]) if self._max_tail else b""


class Run:
    """The command: one process, and whatever that starts."""

    def __init__(self, pipe: Pipe, libc: ctypes.CDLL, request: dict[str, Any], stdin: bytes) -> None:
        """Prepare; ``begin`` starts it in the workspace."""
        self._pipe = pipe
        self._libc = libc
        self._request = request
        self._stdin = memoryview(stdin)
        self.output = Output(pipe, request["head"], request["tail"])
        self.status: int | None = None
        """As ``waitpid`` has it, once it has ended."""
        self.ended_by = ""
        """Why june has ended it: ``time``, ``memory``, ``files`` or nothing."""

    def begin(self) -> None:
        """Start the command."""
        self._reader, self._printed = os.pipe()
        self._to_read, self._feeder = os.pipe()
        self._child = os.fork()
        if not self._child:
            self._become_command()
        os.close(self._printed)
        os.close(self._to_read)
        os.set_blocking(self._feeder, False)
        os.set_blocking(self._reader, False)

    def _become_command(self) -> None:
        """Turn the forked process into the command; never returns."""
        code = NOT_STARTED
        try:
            os.setsid()
            os.dup2(self._to_read, 0)
            os.dup2(self._printed, 1)
            os.dup2(self._printed, 2)
            os.closerange(3, 1 << 16)
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for name, limit in self._request["rlimits"].items():
                number = getattr(resource, name)
                hard = resource.getrlimit(number)[1]
                if hard == resource.RLIM_INFINITY or hard > limit:
                    resource.setrlimit(number, (limit, limit))
            self._libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # the pipes are closed; /proc/self is its own again
            with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                file.write("1000")  # the kernel kills it first, and process 1 last
            os.chdir(self._request["workspace"])
            argv, environment = self._request["argv"], self._request["environment"]
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - the command is what it is
        except FileNotFoundError:
            code = NOT_FOUND
            os.write(2, f"{self._request['argv'][0]}: not found\n".encode(errors="replace"))
        except BaseException as error:  # noqa: BLE001 - a fork of process 1 must not go on as such
            os.write(2, f"{type(error).__name__}: {error}\n".encode(errors="replace"))
        finally:
            os._exit(code)

    def wait(self, wakeup: int) -> None:
        """Wait until the command ends, or is ended."""
        poll = select.poll()
        for descriptor in (self._reader, self._pipe.source, wakeup):
            poll.register(descriptor, select.POLLIN)
        self._poll = poll
        if self._stdin:
            poll.register(self._feeder, select.POLLOUT)
        else:
            os.close(self._feeder)
        until = time.monotonic() + self._request["seconds"]
        look = 0.0
        while self.status is None:
            now = time.monotonic()
            if now >= until:
                self.ended_by = "time"
                return
            if now >= look:
                look = now + TICK_MS / 1000
                self.ended_by = self._excess()
                if self.ended_by:
                    return
            for descriptor, _ in poll.poll(max(1, min(TICK_MS, (until - now) * 1000))):
                self._serve(descriptor, wakeup)

    def _serve(self, descriptor: int, wakeup: int) -> None:
        if descriptor == self._reader:
            self._drain_once()
        elif descriptor == self._pipe.source:
            if not os.read(descriptor, CHUNK):  # the worker is dead, or has no more use for this
                os._exit(1)
        elif descriptor == wakeup:
            os.read(wakeup, CHUNK)
            self._reap(os.WNOHANG)
        else:
            self._feed()

    def _drain_once(self) -> bool:
        """Read what is printed, if anything; return False at its end."""
        try:
            data = os.read(self._reader, CHUNK)
        except BlockingIOError:
            return False
        if data:
            self.output.write(data)
        elif self.status is None:
            self._poll.unregister(self._reader)  # it has closed its output, and runs on
        return bool(data)

    def _feed(self) -> None:
        """Write some of what the command is to read."""
        try:
            self._stdin = self._stdin[os.write(self._feeder, self._stdin[:CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:
            self._stdin = self._stdin[:0]  # it does not read it
        if not self._stdin:
            self._poll.unregister(self._feeder)
            os.close(self._feeder)

    def _reap(self, flags: int) -> None:
        """Collect processes that have ended, those that came to process 1 as orphans too."""
        while True:
            try:
                pid, status = os.waitpid(-1, flags)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid == self._child:
                self.status = status

    def _excess(self) -> str:
        """Name what is used beyond its limit, of that which neither cgroup nor rlimit bounds."""
        for path in self._request["bounded"]:
            found = os.statvfs(path)
            if found.f_files and found.f_files - found.f_ffree > self._request["max_inodes"]:
                return "files"
        most = self._request["watched_memory"]
        return "memory" if most and resident_bytes() > most else ""

    def kill_all(self) -> None:
        """Kill every process but this one; return when all are gone. What they have printed until then is read."""
        with contextlib.suppress(ProcessLookupError):  # none is left
            while True:
                os.kill(-1, signal.SIGKILL)
                self._reap(0)
        self._reap(os.WNOHANG)
        while self._drain_once():
            pass


def resident_bytes() -> int:
    """Sum up the memory of all processes but this one, without files; what they share counts for each."""
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            with contextlib.suppress(OSError), open(f"/proc/{name}/status", encoding="utf-8", errors="replace") as file:
                sizes = {words[0]: int(words[1]) << 10 for words in map(str.split, file) if words[-1] == "kB"}
                own = sizes.get("RssAnon:", sizes.get("VmRSS:", 0))  # gVisor tells the latter alone
                total += own + sizes.get("RssShmem:", 0)
    return total


def serve(pipe: Pipe, libc: ctypes.CDLL) -> None:
    """Serve the one request.

    Raises:
        EOFError: the worker has gone away.

    """
    request = json.loads(pipe.read(LENGTH.unpack(pipe.read(LENGTH.size))[0]))
    pipe.key = bytes.fromhex(request.pop("key"))
    confine(libc, base64.b64decode(request["seccomp"]))
    found = facts(libc)
    pipe.write(HELLO, json.dumps(found).encode())
    lacking = missing(found, request["wanted"])
    if lacking:
        pipe.write(REFUSED, ", ".join(lacking).encode())
        return
    if found["memory_limit"] is not None and found["memory_limit"] <= request["unless_limited"]:
        request["watched_memory"] = 0
        for name in ("RLIMIT_AS", "RLIMIT_NPROC"):
            request["rlimits"].pop(name, None)
    folder = request["workspace"]
    unpack(pipe, request["archive_bytes"], folder)
    stdin = pipe.read(request["stdin_bytes"])
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    kills, began = oom_kills(), time.monotonic()
    run = Run(pipe, libc, request, stdin)
    run.begin()
    run.wait(woken)
    seconds = time.monotonic() - began
    run.kill_all()
    killed = oom_kills() > kills
    pipe.write(REST, run.output.rest())
    problem, skipped = "", list[str]()
    try:
        sink = Sink(pipe)
        with tarfile.open(  # type: ignore[call-overload]
            fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK
        ) as archive:
            packer = Packer(archive, request["max_bytes"], request["max_files"])
            with contextlib.suppress(PermissionError):  # it is another's: then the command could not close it either
                os.chmod(folder, 0o700)
            packer.folder(os.open(folder, os.O_RDONLY), "", 0)
            skipped = packer.skipped
    except TooLargeError as error:
        problem = str(error)
    ended = {
        "status": run.status if not run.ended_by else None,
        "ended_by": "memory" if killed else run.ended_by,
        "written": run.output.written,
        "seconds": seconds,
        "problem": problem,
        "skipped": skipped,
    }
    pipe.write(END, json.dumps(ended).encode())


def main() -> None:
    """Serve the worker on the pipes that are standard input and output."""
    pipe, libc = Pipe(), ctypes.CDLL(None, use_errno=True)
    try:
        serve(pipe, libc)
    except (EOFError, BrokenPipeError):
        os._exit(1)
    except OSError as error:
        if error.errno == errno.EPIPE:
            os._exit(1)
        raise


if __name__ == "__main__":
    main()
