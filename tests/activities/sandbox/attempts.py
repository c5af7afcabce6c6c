"""Attempts to get out of a sandbox, or to harm the machine from in it: data, run on every backend (``escapes``).

Each is a Python program that runs inside. It calls ``escaped`` where it got what it must not get.
"""

from typing import NamedTuple

PRELUDE = r"""
import ctypes, errno, fcntl, mmap, os, platform, resource, signal, socket, stat, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"

def escaped(why):
    print("ESCAPED:", why, flush=True)

def held(what, why):
    print("held:", what, why, flush=True)

def tried(what, function, *arguments):
    try:
        got = function(*arguments)
    except BaseException as error:
        held(what, repr(error))
        return None
    escaped(f"{what}: {str(got)[:200]!r}")
    return got

def call(what, number, *arguments):
    "Make a system call by number; it must fail."
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if got == -1:
        held(what, errno.errorcode.get(ctypes.get_errno()))
    else:
        escaped(f"{what}: {got}")

def read(path):
    with open(path, "rb") as file:
        return file.read(1000)

def write(path, data):
    with open(path, "w") as file:
        file.write(data)
    return path

def in_child(function):
    "Run in a process of its own, which may be killed for it; return its wait status."
    pid = os.fork()
    if not pid:
        try:
            function()
        except BaseException as error:
            held("child", repr(error))
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]

print("begun", flush=True)
"""


class Attempt(NamedTuple):
    """One way to try it."""

    name: str
    tried: str
    """In words, for the table."""
    stopped_by: str
    code: str
    seconds: float = 20.0
    ends: str = ""
    """How june must end it: ``time``, ``memory``, ``files``; empty where it ends by itself."""
    keeps: bool | None = True
    """Whether its workspace is kept; None where that depends on the moment."""
    exits: int | None = None
    """Exit code that june must tell."""


KERNEL = (
    Attempt(
        "core pattern",
        "have the kernel start a program of its choice: `/proc/sys/kernel/core_pattern`",
        "another user than root, before bubblewrap starts; read-only `/proc/sys` in containers",
        'tried("write", write, "/proc/sys/kernel/core_pattern", "|/workspace/x")',
    ),
    Attempt(
        "sysctl",
        "change kernel settings: swappiness, file handles, overcommit, namespaces",
        "another user than root; read-only `/proc/sys` in containers",
        """
for name in ("vm/swappiness", "fs/file-max", "vm/overcommit_memory", "kernel/modprobe", "kernel/panic",
             "user/max_user_namespaces"):
    path = "/proc/sys/" + name
    tried(path, lambda: write(path, read(path).decode()))
for path, value in {"kernel/pid_max": "5000", "net/ipv4/ip_forward": "1"}.items():  # namespaces may have their own
    try:
        write("/proc/sys/" + path, value)
    except OSError as error:
        held(path, error)
""",
    ),
    Attempt(
        "host name",
        "rename the machine",
        "UTS namespace, no capabilities, seccomp",
        'tried("file", write, "/proc/sys/kernel/hostname", "taken")\ntried("call", socket.sethostname, "taken")',
    ),
    Attempt(
        "sysrq",
        "restart the machine by `/proc/sysrq-trigger`, `reboot`, `kexec_load`",
        "another user than root, no capabilities, seccomp",
        """
tried("sysrq", write, "/proc/sysrq-trigger", "b")
if X86:
    call("reboot", 169, 0xfee1dead, 672274793, 0, 0)
    call("kexec_load", 246, 0, 0, 0, 0)
""",
    ),
    Attempt(
        "kernel module",
        "load a kernel module",
        "no capabilities, seccomp",
        'if X86:\n    call("init_module", 175, b"x", 1, b"")\n    call("finit_module", 313, 0, b"", 0)\n'
        'call("delete_module", 176 if X86 else 106, b"dummy", 0)',
    ),
    Attempt(
        "kernel memory",
        "read the kernel's memory and log: `/dev/mem`, `/dev/kmsg`, `/proc/kcore`, `syslog`",
        "no such devices; another user than root; seccomp",
        """
for path in ("/dev/mem", "/dev/kmem", "/dev/port", "/proc/kcore", "/dev/kmsg", "/proc/kpageflags"):
    tried(path, read, path)
call("syslog", 103 if X86 else 116, 3, ctypes.create_string_buffer(4096), 4096)
""",
    ),
    Attempt(
        "clock",
        "set the machine's clock",
        "no capabilities, seccomp",
        'tried("clock", time.clock_settime, time.CLOCK_REALTIME, time.time())',
    ),
    Attempt(
        "bpf",
        "load a BPF program",
        "seccomp",
        'call("bpf", 321 if X86 else 280, 5, ctypes.create_string_buffer(128), 128)',
    ),
    Attempt(
        "io_uring",
        "do input and output by io_uring, past filters of system calls",
        "seccomp",
        """
call("io_uring_setup", 425, 8, ctypes.create_string_buffer(256))
call("io_uring_enter", 426, 3, 0, 0, 0, 0, 0)
""",
    ),
    Attempt(
        "perf",
        "watch other processes and the kernel: `perf_event_open`",
        "seccomp",
        """
wanted = ctypes.create_string_buffer(struct.pack("II", 1, 120) + bytes(112), 120)
call("perf", 298 if X86 else 241, wanted, 0, -1, -1, 0)
""",
    ),
    Attempt(
        "userfaultfd",
        "stop the kernel in mid-copy: `userfaultfd`",
        "seccomp",
        'call("userfaultfd", 323 if X86 else 282, 0)\ncall("userfaultfd, user mode", 323 if X86 else 282, 1)',
    ),
    Attempt(
        "keyctl",
        "use the kernel's key rings",
        "seccomp",
        'call("keyctl", 250 if X86 else 219, 0, -3, 1)\n'
        'call("add_key", 248 if X86 else 217, b"user", b"x", b"data", 4, -3)\n'
        'call("request_key", 249 if X86 else 218, b"user", b"x", 0, -3)',
    ),
    Attempt(
        "personality",
        "switch off protections of memory: `personality`",
        "seccomp",
        'call("personality", 135 if X86 else 92, 0x0400000)\ncall("personality", 135 if X86 else 92, 0x0040000)',
    ),
    Attempt(
        "other architectures",
        "make system calls as x32 and as 32-bit programs do, past the filter",
        "seccomp kills the process",
        """
if X86:
    def x32():
        if libc.syscall(ctypes.c_long(0x40000000 + 39)) > 0:
            escaped("x32")
    def compat():
        code = bytes.fromhex("b814000000cd80c3")  # mov eax, getpid; int 0x80; ret
        area = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        area.write(code)
        function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(area)))
        if function() > 0:
            escaped("int 0x80")
    held("x32", in_child(x32))
    held("int 0x80", in_child(compat))
""",
    ),
    Attempt(
        "terminal input",
        "type into the terminal that june runs in: `TIOCSTI`",
        "a session without a terminal, seccomp",
        """
tried("/dev/tty", lambda: os.open("/dev/tty", os.O_RDWR))
for fd in (0, 1, 2):
    tried(f"TIOCSTI {fd}", fcntl.ioctl, fd, 0x5412, b"x")
master, slave = os.openpty()
tried("TIOCSTI on a terminal of its own", fcntl.ioctl, slave, 0x5412, b"x")
tried("with high bits", lambda: libc.ioctl(slave, ctypes.c_ulong(0x100005412), b"x") and 1 / 0)
""",
    ),
)
NAMESPACES = (
    Attempt(
        "mount",
        "mount: a tmpfs, the root writable, a bind, by the old and the new calls",
        "no capabilities, seccomp",
        """
def mount(source, target, kind, flags):
    if libc.mount(source, target, kind, flags, None):
        raise OSError(ctypes.get_errno(), "mount")
tried("tmpfs", mount, b"none", b"/tmp", b"tmpfs", 0)
tried("remount", mount, b"none", b"/", None, 32)
tried("remount /usr", mount, b"none", b"/usr", None, 32 | 4096)
tried("bind", mount, b"/proc", b"/tmp", None, 4096)
call("fsopen", 430, b"tmpfs", 0)
call("open_tree", 428, -100, b"/", 1)
call("umount", 166 if X86 else 39, b"/proc", 2)
""",
    ),
    Attempt(
        "user namespace",
        "become root in a user namespace of its own: `unshare`, `clone`, `clone3`",
        "seccomp; `--disable-userns`",
        """
call("unshare", 272 if X86 else 97, 0x10000000)
call("unshare all", 272 if X86 else 97, 0x7e020000)
if X86:
    for flag in (0x10000000, 0x20000000, 0x40000000, 0x20000):
        call("clone", 56, flag | 17, 0, 0, 0, 0)
arguments = ctypes.create_string_buffer(struct.pack("Q", 0x10000000) + bytes(80), 88)
call("clone3", 435, arguments, 88)
try:
    done = subprocess.run(["unshare", "-Ur", "id", "-u"], capture_output=True, text=True)
    (escaped if done.returncode == 0 else held)("unshare(1)", done.stderr)
except OSError as error:
    held("unshare(1)", error)
""",
    ),
    Attempt(
        "setns",
        "enter another process's namespaces",
        "PID namespace, seccomp",
        """
for name in ("user", "mnt", "net", "pid"):
    for pid in (1, HOST_PID) if STRICT else (HOST_PID,):
        tried(f"{pid} {name}", lambda: os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY))
fd = os.open("/proc/self/ns/net", os.O_RDONLY)
call("setns", 308 if X86 else 268, fd, 0)
""",
    ),
    Attempt(
        "chroot",
        "leave the root by `chroot` and `..`, `pivot_root`",
        "no capabilities, seccomp",
        'tried("chroot", os.chroot, "/tmp")\n'
        'if X86:\n    call("pivot_root", 155, b"/tmp", b"/tmp")\n'
        'tried("..", read, "../" * 50 + MARKER.lstrip("/"))',
    ),
    Attempt(
        "file handles",
        "open files of the machine by their number: `open_by_handle_at`",
        "no capabilities, seccomp",
        """
handle = ctypes.create_string_buffer(struct.pack("Ii", 8, 1) + struct.pack("II", 2, 0), 128)
root = os.open("/usr", os.O_RDONLY)
call("open_by_handle_at", 304 if X86 else 265, root, handle, 0)
call("name_to_handle_at", 303 if X86 else 264, root, b"", handle, ctypes.byref(ctypes.c_int()), 0x1000)
""",
    ),
    Attempt(
        "cgroups",
        "leave its cgroup, raise its limits, have `release_agent` started",
        "no cgroup file system, or a read-only one",
        """
found = [line.split()[1] for line in open("/proc/mounts") if line.split()[2].startswith("cgroup")]
held("mounts", found)
for path in found:
    tried(path, os.mkdir, path + "/x")
    for name in ("release_agent", "cgroup.procs", "memory.max", "memory.limit_in_bytes", "pids.max"):
        if os.path.exists(path + "/" + name):
            tried(path + name, write, path + "/" + name, "0")
""",
    ),
    Attempt(
        "capabilities",
        "get capabilities back, become another user",
        "no capabilities, `no_new_privs`",
        """
for what, function in {"setuid": lambda: os.setuid(0), "setgid": lambda: os.setgid(0),
                       "setgroups": lambda: os.setgroups([0]), "nice": lambda: STRICT and os.nice(-5) or 1 / 0,
                       "scheduler": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
                       "chown": lambda: (open("/tmp/f", "w").close(), os.chown("/tmp/f", 0, 0))}.items():
    tried(what, function)
header, data = struct.pack("II", 0x20080522, 0), struct.pack("IIIIII", *[0xffffffff] * 6)
call("capset", 126 if X86 else 91, header, data)
""",
    ),
)
FILES = (
    Attempt(
        "files of the machine",
        "read what lies in `/root`, `/home`, `/etc`, `/tmp` of the machine",
        "mount namespace: only `/usr` is seen",
        """
for path in ("/etc/shadow", "/root/.bashrc", "/root/.ssh/id_rsa", "/var/log/syslog", MARKER, "/proc/1/cwd/" + MARKER):
    tried(path, read, path)
tried("/root", os.listdir, "/root")
for path in ("/home", "/var/lib/june", "/work", "/mnt", "/srv"):
    if os.path.isdir(path) and os.listdir(path):
        escaped(path)
if "june" not in read("/etc/passwd").decode() and os.path.exists("/opt/june"):
    escaped("the machine's /etc/passwd")
""",
    ),
    Attempt(
        "roots of processes",
        "reach the machine's files by `/proc/*/root` and `/proc/*/cwd`",
        "PID and mount namespaces",
        """
for name in os.listdir("/proc"):
    if name.isdigit() or name in ("self", "thread-self"):
        for way in ("root", "cwd"):
            tried(f"{name} {way}", read, f"/proc/{name}/{way}{MARKER}")
if any(int(name) > 1000 for name in os.listdir("/proc") if name.isdigit()) or os.path.exists(f"/proc/{HOST_PID}"):
    held("pids", "a long life") if os.getpid() > 1000 else escaped("processes of the machine are seen")
""",
    ),
    Attempt(
        "links out",
        "leave links in the workspace to files of the machine, and have june read or write through them",
        "links that lead out of the workspace are not kept; an archive follows none",
        """
for name, target in {"out": MARKER, "up": "../../../../.." + MARKER, "etc": "/etc", "proc": "/proc/self/root",
                     "self": "self", "dir": ".."}.items():
    os.symlink(target, name)
for name in ("out", "up", "etc/shadow"):
    tried(name, read, name)
try:
    os.link("/usr/bin/env", "hard")
    escaped("hard link")
except OSError as error:
    held("hard link", error)
""",
    ),
    Attempt(
        "workspace of links",
        "fill the workspace with links, chains and circles of them",
        "links that lead out are left out, the number of files is limited",
        """
for number in range(400):
    os.symlink(f"link{number + 1}", f"link{number}")
os.symlink("link0", "link400")
os.mkdir("d")
os.symlink("../d", "d/d")
tried("circle", read, "link0")
""",
    ),
    Attempt(
        "strange names",
        "names of 255 bytes, of invalid UTF-8, with line breaks and escape sequences",
        "the launcher: what is no UTF-8 is left out",
        r"""
for name in (b"n" * 255, b"\xff\xfe", b"line\nbreak", b"\x1b[2J", b"-rf", b"..\xff", b" ", "\u202e".encode(), b"a\\b"):
    with open(name, "wb") as file:
        file.write(b"x")
os.symlink(b"\xff", b"to invalid")
""",
    ),
    Attempt(
        "deep folders",
        "folders 2,000 deep",
        "the launcher keeps paths of 1,000 bytes",
        """
for number in range(2000):
    os.mkdir("deep")
    os.chdir("deep")
""",
        ends="?",
        keeps=None,
    ),
    Attempt(
        "closed folders",
        "folders and files that nobody may read, the workspace itself too",
        "the launcher opens them, as their owner",
        """
os.mkdir("closed")
write("closed/file", "x")
os.chmod("closed/file", 0)
os.chmod("closed", 0)
try:
    os.chmod(".", 0)
except OSError as error:
    held("workspace", error)
""",
    ),
    Attempt(
        "git hooks",
        "leave a `.git` with hooks, which git would run in the person's folder",
        "`.git` is left out of every workspace",
        """
os.makedirs(".git/hooks")
write(".git/hooks/pre-commit", "#!/bin/sh")
os.makedirs("sub/.git")
write("sub/.git/config", "x")
""",
    ),
    Attempt(
        "setuid files",
        "make a setuid program; run those of the machine (`su`, `mount`)",
        "`no_new_privs`, `nosuid`",
        """
import shutil
shutil.copy("/usr/bin/id", "id")
os.chmod("id", 0o6755)
held("own", subprocess.run(["./id"], capture_output=True, text=True).stdout)
for name in ("su", "sudo", "mount", "newgrp", "passwd", "chsh", "pkexec"):
    path = shutil.which(name, path="/usr/bin:/usr/sbin")
    if path and os.stat(path).st_mode & stat.S_ISUID:
        done = subprocess.run([path, *(["root", "-c", "id -u"] if name == "su" else ["--version"])],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.stdout.strip() == "0":
            escaped(name)
if os.geteuid() == 0 or libc.prctl(39, 0, 0, 0, 0) != 1:
    escaped("no_new_privs is off")
""",
    ),
    Attempt(
        "device nodes",
        "make devices: the disk, the memory",
        "no capabilities, `nodev`",
        """
for kind, major, minor in ((stat.S_IFBLK, 254, 0), (stat.S_IFBLK, 8, 0), (stat.S_IFCHR, 1, 1), (stat.S_IFCHR, 10, 232)):
    try:
        os.mknod(f"node{major}{minor}", kind | 0o666, os.makedev(major, minor))
    except OSError as error:
        held("mknod", error)
        continue
    if STRICT:
        escaped("mknod")
    tried("a device that was made", lambda: os.open(f"node{major}{minor}", os.O_RDWR))
for name in ("kvm", "vda", "sda", "loop-control", "vsock", "mapper/control", *(["fuse", "net/tun"] if STRICT else [])):
    tried(name, lambda: os.open("/dev/" + name, os.O_RDWR))
""",
    ),
    Attempt(
        "read-only places",
        "change what other commands will see: `/usr`, `/etc`, `/opt`, the launcher, the interpreter that runs",
        "read-only mounts",
        """
for path in ("/usr/bin/x", "/usr/local/x", "/etc/x", "/opt/x", "/opt/python/x.py", "/opt/june/launcher.py",
             "/opt/june/bin/x", "/x", "/dev/x", "/run/x", "/var/x", "/var/tmp/x", "/sys/x"):
    tried(path, write, path, "x")
tried("interpreter", lambda: os.open("/proc/self/exe", os.O_WRONLY))
tried("process 1's interpreter", lambda: os.open("/proc/1/exe", os.O_WRONLY))
for path in ("/usr", "/etc", "/opt", "/opt/june/launcher.py", "/workspace", "/tmp"):
    tried(path, os.rename, path, "/tmp/moved")
""",
    ),
    Attempt(
        "sockets of engines",
        "reach the container engine, D-Bus, systemd by their sockets",
        "mount namespace",
        """
for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock",
             "/run/dbus/system_bus_socket", "/run/systemd/private", "/run/systemd/notify", "/run/user/0/bus"):
    tried(path, lambda: socket.socket(socket.AF_UNIX).connect(path) or path)
""",
    ),
)
PROCESSES = (
    Attempt(
        "trace process 1",
        "trace the launcher: `ptrace`, `process_vm_writev`, `/proc/1/mem`, `pidfd_getfd`",
        "seccomp; the launcher is not dumpable",
        """
for what, request in {"attach": 16, "seize": 0x4206}.items():
    call(what, 101 if X86 else 117, request, 1, 0, 0)
area = ctypes.create_string_buffer(64)
vector = ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(area), 64), 16)
call("readv", 310 if X86 else 270, 1, vector, 1, vector, 1, 0)
call("writev", 311 if X86 else 271, 1, vector, 1, vector, 1, 0)
tried("mem", read, "/proc/1/mem")
tried("mem", lambda: os.open("/proc/1/mem", os.O_RDWR))
if STRICT:
    for name in ("environ", "maps", "auxv", "stack", "syscall", "fd/0", "fd/3", "fd/4", "fdinfo/3"):
        tried(name, read, "/proc/1/" + name)
    tried("fd", os.listdir, "/proc/1/fd")
pidfd = os.pidfd_open(1)
for fd in (3, 4):
    call("pidfd_getfd", 438, pidfd, fd, 0)
""",
    ),
    Attempt(
        "trace a child",
        "trace processes of its own, past the filter",
        "seccomp",
        """
child = os.fork()
if not child:
    call("traceme", 101 if X86 else 117, 0, 0, 0, 0)
    os._exit(0)
os.waitpid(child, 0)
call("attach", 101 if X86 else 117, 16, os.getppid(), 0, 0)
""",
    ),
    Attempt(
        "kill process 1",
        "end the launcher by any signal",
        "the kernel keeps signals from process 1",
        """
for number in sorted(signal.valid_signals()):
    if number not in (signal.SIGSTOP, signal.SIGTSTP):
        try:
            os.kill(1, number)
        except OSError as error:
            held(str(number), error)
time.sleep(0.2)
if not os.path.exists("/proc/1"):
    escaped("gone")
sys.exit(23)
""",
        exits=23,
    ),
    Attempt(
        "stop process 1",
        "stop the launcher with SIGSTOP, so that no limit holds",
        "the kernel keeps signals from process 1",
        """
for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
    os.kill(1, number)
time.sleep(60)
escaped("no limit of time")
""",
        seconds=1.0,
        ends="time",
    ),
    Attempt(
        "slow process 1",
        "starve the launcher: its priority, scheduler, processors, limits",
        "seccomp",
        """
IDLE = 5
for what, function in {
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, 1, 19),
    "priority of the group": lambda: os.setpriority(os.PRIO_PGRP, 1, 19),
    "priority of the user": lambda: os.setpriority(os.PRIO_USER, 0, 19),
    "scheduler": lambda: os.sched_setscheduler(1, IDLE, os.sched_param(0)),
    "parameters": lambda: os.sched_setparam(1, os.sched_param(0)),
    "processors": lambda: os.sched_setaffinity(1, {0}),
    "memory": lambda: resource.prlimit(1, resource.RLIMIT_AS, (1 << 20, 1 << 20)),
    "files": lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0)),
}.items():
    tried(what, function)
call("ioprio", 251 if X86 else 30, 1, 1, 3 << 13)
call("ioprio of the user", 251 if X86 else 30, 3, 0, 3 << 13)
call("high bits", 302 if X86 else 261, 0x100000001, 7, ctypes.create_string_buffer(16), 0)
""",
    ),
    Attempt(
        "kill processes of the machine",
        "signal june's worker and everybody else",
        "PID namespace",
        """
tried("worker", os.kill, HOST_PID, 0)
tried("its group", os.killpg, HOST_PID, 0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
try:
    os.kill(-1, signal.SIGTERM)
except OSError as error:
    held("all", error)
""",
    ),
    Attempt(
        "environment of the worker",
        "read june's own environment: tokens, passwords",
        "an environment of its own, PID namespace",
        """
for name, value in os.environ.items():
    if name not in ("PATH", "HOME", "LANG", "TZ", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
        escaped(f"{name}={value}")
for name in [str(os.getppid()), "1", str(HOST_PID)]:
    if STRICT or name != "1":
        tried(name, read, f"/proc/{name}/environ")
""",
    ),
    Attempt(
        "result pipe",
        "write to the pipe of the results: by number, by `/proc/self/fd`, by the launcher's",
        "the command has no descriptor but its input and output; the launcher is not dumpable; frames are signed",
        """
frame = b"e" + struct.pack(">I", 2) + b"{}"
for fd in range(3, 2000):
    try:
        os.write(fd, frame)
        escaped(f"descriptor {fd}")
    except OSError:
        pass
for pid in ("self", "1", str(os.getppid())):
    for fd in range(20):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            opened = os.open(f"/proc/{pid}/fd/{fd}", os.O_WRONLY)
        except OSError:
            continue
        if pid == "1" and STRICT:
            escaped(target)
        if "pipe" in target and (pid == "1" or fd > 2):
            held("written", os.write(opened, frame))
os._exit(23)
""",
        exits=23,
    ),
    Attempt(
        "forged frames",
        "print an archive and an end as the launcher would write them",
        "output is only ever data of a frame",
        """
archive = bytes(1024)
ended = b'{"status": 0, "ended_by": "", "written": 0, "seconds": 0, "problem": "", "skipped": []}'
os.write(1, b"w" + struct.pack(">I", len(archive)) + archive + b"e" + struct.pack(">I", len(ended)) + ended)
write("kept", "x")
sys.stdout.flush()
os._exit(23)
""",
        exits=23,
    ),
    Attempt(
        "spoofed exit",
        "have another process's success count as the command's",
        "the launcher waits for the one process it started",
        """
for _ in range(20):
    if not os.fork():
        if not os.fork():
            os._exit(0)
        os._exit(0)
os.kill(1, signal.SIGCHLD)
time.sleep(0.2)
os._exit(23)
""",
        exits=23,
    ),
    Attempt(
        "daemons",
        "leave processes behind: double fork, sessions of their own, deaf to signals, adopted by a process of its own",
        "all processes are killed before the workspace is packed; the PID namespace ends",
        """
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
libc.prctl(36, 1, 0, 0, 0)
for _ in range(5):
    if not os.fork():
        os.setsid()
        if not os.fork():
            while True:
                write("beat", str(time.time()))
                time.sleep(0.01)
        os._exit(0)
print("left behind")
""",
    ),
    Attempt(
        "hang",
        "never end, with closed output and all signals blocked",
        "limit of time",
        """
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.closerange(0, 100)
while True:
    time.sleep(100)
""",
        seconds=1.0,
        ends="time",
    ),
)
NETWORK = (
    Attempt(
        "services of the machine",
        "connect to a service on the machine's loopback",
        "network namespace",
        """
for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0"):
    tried(host, socket.create_connection, (host, PORT), 2)
""",
    ),
    Attempt(
        "abstract sockets",
        "connect to abstract Unix sockets of the machine",
        "network namespace",
        'tried("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0" + ABSTRACT) or ABSTRACT)\n'
        'held("seen", open("/proc/net/unix").read().count("@"))',
    ),
    Attempt(
        "the internet",
        "reach the outside: DNS, addresses, the cloud's metadata",
        "network namespace without interfaces",
        """
tried("DNS", socket.gethostbyname, "example.com")
for address in (("1.1.1.1", 53), ("8.8.8.8", 53), ("169.254.169.254", 80), ("10.0.0.1", 80), ("172.17.0.1", 80)):
    tried(address, socket.create_connection, address, 2)
    tried(address, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", address))
if [name for _, name in socket.if_nameindex() if name not in ("lo", "tunl0", "sit0", "gre0", "ip6tnl0")]:
    escaped("interfaces")
""",
    ),
    Attempt(
        "other sockets",
        "raw packets, the hypervisor (vsock), the kernel's ciphers, Bluetooth",
        "seccomp, no capabilities",
        """
for family, kind in ((17, 3), (2, 3), (10, 3), (40, 1), (38, 5), (31, 3), (16, 3), (44, 3), (29, 3), (1000, 1)):
    if family != 16:
        tried((family, kind), socket.socket, family, kind)
call("high bits", 41 if X86 else 198, 0x100000028, 1, 0)
""",
    ),
    Attempt(
        "shared memory of the machine",
        "use shared memory and queues of the machine's processes",
        "IPC namespace, `/dev/shm` of its own",
        """
if len(open("/proc/sysvipc/shm").readlines()) > 1 or len(open("/proc/sysvipc/msg").readlines()) > 1:
    escaped("segments of others")
if os.listdir("/dev/shm"):
    escaped("files of others")
""",
    ),
)
RESOURCES = (
    Attempt(
        "fork bomb",
        "start processes without end",
        "cgroup of processes, or RLIMIT_NPROC",
        """
count = 0
try:
    for count in range(1000):
        if not os.fork():
            time.sleep(30)
            os._exit(0)
except OSError as error:
    held(count, error)
if count > PROCESSES:
    escaped(f"{count} processes")
""",
    ),
    Attempt(
        "fork bomb that forks",
        "`:(){ :|:& };:`",
        "cgroup of processes, or RLIMIT_NPROC; limit of time",
        """
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
        seconds=1.5,
        ends="?",
    ),
    Attempt(
        "threads",
        "start threads without end",
        "cgroup of processes, or RLIMIT_NPROC",
        """
import threading
threading.stack_size(64 << 10)
count = 0
try:
    for count in range(1000):
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
except RuntimeError as error:
    held(count, error)
if count > PROCESSES:
    escaped(f"{count} threads")
os._exit(0)
""",
    ),
    Attempt(
        "memory bomb",
        "take memory without end",
        "cgroup of memory, or RLIMIT_AS",
        """
def bomb():
    kept = []
    while len(kept) * 8 < 4000:
        kept.append(bytearray(b"x" * (8 << 20)))
        if (len(kept) * 8 << 20) > MEMORY * 3 // 2:
            escaped(f"{len(kept) * 8} MiB")
            os._exit(0)
held("status", in_child(bomb))
""",
    ),
    Attempt(
        "memory bomb by many",
        "take memory by eight processes, each within the limit",
        "cgroup of memory, or the launcher's watch",
        """
share = MEMORY * 6 // 10
children = []
for _ in range(8):
    child = os.fork()
    if not child:
        kept = bytearray(share)
        for at in range(0, share, 4096):
            kept[at] = 1
        time.sleep(20)
        os._exit(0)
    children.append(child)
time.sleep(3)
alive = [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]
total = sum(int(read(f"/proc/{child}/statm").split()[1]) * 4096 for child in alive)
held("in all", total >> 20)
if total > MEMORY * 3 // 2:
    escaped(f"{total >> 20} MiB in {len(alive)}")
""",
        ends="?",
    ),
    Attempt(
        "hidden memory",
        "memory that belongs to no process: `memfd`, System V segments",
        "cgroup of memory; seccomp where there is none",
        """
taken, kept = 0, []
def memfd():
    global taken
    while taken < 6 * MEMORY:
        fd = os.memfd_create("x")
        kept.append(fd)
        taken += os.write(fd, bytes(8 << 20))
    escaped(f"{taken >> 20} MiB")
held("memfd", in_child(memfd))
def segments():
    for number in range(60):
        got = libc.shmget(0, ctypes.c_size_t(MEMORY // 4), 0o1600)
        if got < 0:
            raise OSError(ctypes.get_errno(), "shmget")
        libc.shmat.restype = ctypes.c_void_p
        at = libc.shmat(got, None, 0)
        ctypes.memset(at, 1, MEMORY // 4)
        libc.shmdt(ctypes.c_void_p(at))
    escaped("segments")
held("segments", in_child(segments))
""",
    ),
    *(
        Attempt(
            f"full {path}",
            f"fill `{path}`",
            "a tmpfs of a fixed size" if path not in ("/", "/dev") else "read-only",
            f"""
total = 0
try:
    for number in range(100):
        with open(os.path.join({path!r}, f"fill{{number}}"), "wb") as file:
            for _ in range(8):
                total += file.write(bytes(1 << 20))
                file.flush()
except OSError as error:
    held(total >> 20, error)
if total > 2 * DISK:
    escaped(f"{{total >> 20}} MiB")
""",
            keeps=path != "/workspace",
        )
        for path in ("/workspace", "/tmp", "/dev/shm", "/", "/dev")  # noqa: S108 - the sandbox's
    ),
    Attempt(
        "many files",
        "make files without end: inodes are the kernel's memory",
        "the launcher counts them",
        """
for folder in ("/workspace", "/tmp", "/dev/shm"):
    for number in range(200000):
        try:
            os.close(os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY))
        except OSError as error:
            held(number, error)
            break
escaped("600,000 files")
""",
        ends="files",
        keeps=False,
    ),
    Attempt(
        "sparse file",
        "a file of 1 TB",
        "RLIMIT_FSIZE",
        """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open("sparse", "wb") as file:
    tried("truncate", os.truncate, "sparse", 1 << 40)
    tried("seek", lambda: os.pwrite(file.fileno(), b"x", 1 << 40))
    tried("allocate", os.posix_fallocate, file.fileno(), 0, 1 << 40)
tried("limit", resource.setrlimit, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
""",
    ),
    Attempt(
        "sparse files that add up",
        "a workspace of sparse files, small on disk and huge in an archive; hard links that multiply one",
        "the launcher counts sizes before it packs",
        """
size = resource.getrlimit(resource.RLIMIT_FSIZE)[0] - 1
for number in range(50):
    with open(f"sparse{number}", "wb") as file:
        file.truncate(size)
    os.link(f"sparse{number}", f"linked{number}")
""",
        keeps=False,
    ),
    Attempt(
        "flood of output",
        "print without end on both streams",
        "beginning and end are kept; limit of time",
        """
if not os.fork():
    while True:
        os.write(2, b"error " * 10000)
while True:
    os.write(1, b"output " * 10000)
""",
        seconds=1.5,
        ends="time",
    ),
    Attempt(
        "raised limits",
        "raise its own limits",
        "hard limits",
        """
for name in ("RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_MEMLOCK", "RLIMIT_RTPRIO"):
    number = getattr(resource, name)
    hard = resource.getrlimit(number)[1]
    if hard == resource.RLIM_INFINITY:
        escaped(name)
    tried(name, resource.setrlimit, number, (hard + 1, hard + 1))
    tried(name + " of 1", resource.prlimit, 1, number, (hard + 1, hard + 1))
""",
    ),
    Attempt(
        "spared by the kernel",
        "have the launcher killed for memory in its place: `oom_score_adj`",
        "the launcher is not dumpable; capabilities are needed to go below 0",
        """
tried("of 1", write, "/proc/1/oom_score_adj", "1000")
if STRICT:
    tried("own", write, "/proc/self/oom_score_adj", "-500")
""",
    ),
    Attempt(
        "terminals",
        "take all pseudo-terminals of the machine",
        "RLIMIT_NOFILE",
        """
count = 0
try:
    while count < 5000:
        os.openpty()
        count += 1
    escaped(count)
except OSError as error:
    held(count, error)
""",
    ),
    Attempt(
        "open files",
        "take all open files of the machine",
        "RLIMIT_NOFILE",
        """
count = 0
try:
    while count < 100000:
        os.open("/dev/null", os.O_RDONLY)
        count += 1
    escaped(count)
except OSError as error:
    held(count, error)
""",
    ),
    Attempt(
        "huge arguments",
        "arguments and input of many megabytes",
        "the kernel's limit of arguments; input is handed on as it is read",
        """
tried("arguments", subprocess.run, ["true", *["x" * 100000] * 100])
""",
    ),
)
ATTEMPTS = (*KERNEL, *NAMESPACES, *FILES, *PROCESSES, *NETWORK, *RESOURCES)
