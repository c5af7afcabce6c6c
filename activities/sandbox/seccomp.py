"""The system calls that a sandboxed command cannot make: a filter for the kernel, compiled by libseccomp.

A list of what is denied: all else is as usual, so that compilers, interpreters and test runners work. What is denied
answers EPERM, as without the privilege; ``clone3`` answers ENOSYS, so that the C library uses ``clone``, whose flags
a filter can read. Calls of other architectures (32 bits, x32) kill the process.
"""

import errno
import tempfile
from functools import cache

from activities.sandbox.sandbox import SandboxError

DENIED = {
    "the machine": (
        "reboot kexec_load kexec_file_load init_module finit_module delete_module create_module query_module "
        "get_kernel_syms swapon swapoff sethostname setdomainname iopl ioperm settimeofday clock_settime clock_adjtime "
        "adjtimex stime acct syslog quotactl quotactl_fd nfsservctl vhangup lookup_dcookie uselib ustat sysfs _sysctl "
        "modify_ldt vm86 vm86old"
    ),
    "mounts": (
        "mount umount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick "
        "mount_setattr open_by_handle_at name_to_handle_at fanotify_init fanotify_mark"
    ),
    "namespaces": "unshare setns",
    "other processes": (
        "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd move_pages "
        "migrate_pages"
    ),
    "parts of the kernel that had many faults": (
        "bpf perf_event_open io_uring_setup io_uring_enter io_uring_register userfaultfd add_key request_key keyctl "
        "personality"
    ),
}
HIDDEN_MEMORY = "memfd_create memfd_secret shmget msgget mq_open"
"""Calls that make memory which belongs to no process: denied where no cgroup counts it."""
CLONE_NEW = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
"""Flags of ``clone`` that make a namespace: time, mount, cgroup, UTS, IPC, user, PID, network."""
SPARED = (
    *((name, 0, 1) for name in ("prlimit64", "sched_setscheduler", "sched_setparam", "sched_setattr")),
    *(("sched_setaffinity", 0, 1), ("setpriority", 1, 1), ("setpriority", 0, 2), ("ioprio_set", 1, 1)),
    ("ioprio_set", 0, 3),
)
"""What would slow or starve process 1, the launcher: calls, with the position and value of the argument that names it,
or all processes of its user."""
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
FAMILIES = (1, 2, 10, 16)
"""Of sockets that may be made: Unix, IPv4, IPv6, netlink. vsock would reach the machine that this one is a guest of."""
HIGHEST_FAMILY = 64
LOW_HALF = 0xFFFFFFFF


@cache
def compile_filter(*, hidden_memory: bool) -> bytes:
    """Compile the filter for this machine's architecture, as the kernel takes it (``struct sock_filter[]``).

    Args:
        hidden_memory: whether a command may make memory that belongs to no process.

    Raises:
        SandboxError: ``sandbox-unavailable``, libseccomp is not there.

    """
    try:
        import pyseccomp
    except (ImportError, OSError, RuntimeError) as error:
        raise SandboxError("sandbox-unavailable", f"seccomp cannot be used ({error}): install libseccomp2.") from error
    denied = pyseccomp.ERRNO(errno.EPERM)
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    names = " ".join([*DENIED.values(), *([] if hidden_memory else [HIDDEN_MEMORY])]).split()
    for name in names:
        if known(name):
            rules.add_rule(denied, name)
    if known("clone3"):
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for flag in CLONE_NEW:
        rules.add_rule(denied, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # Where the kernel reads 32 bits of an argument, so does the filter.
    for request in (TIOCSTI, TIOCLINUX):
        rules.add_rule(denied, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW_HALF, request))
    for name, argument, value in SPARED:
        if known(name):
            rules.add_rule(denied, name, pyseccomp.Arg(argument, pyseccomp.MASKED_EQ, LOW_HALF, value))
    for family in set(range(HIGHEST_FAMILY)) - set(FAMILIES):
        rules.add_rule(denied, "socket", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, LOW_HALF, family))
    rules.add_rule(denied, "socket", pyseccomp.Arg(0, pyseccomp.GE, HIGHEST_FAMILY))
    with tempfile.TemporaryFile() as file:  # libseccomp writes to a descriptor
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def known(name: str) -> bool:
    """Check whether libseccomp knows a system call here: not all are on each architecture, nor in an old library."""
    import pyseccomp

    try:
        return bool(pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) >= 0)
    except (OSError, ValueError):
        return False
