"""The filter, by what the kernel does with it in a real process."""

import ctypes
import os
import subprocess
import sys

import pytest

from activities.sandbox.seccomp import DENIED, HIDDEN_MEMORY, compile_filter, known

PROGRAM = """
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]
code = bytes.fromhex(sys.argv[1])
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, ctypes.byref(Program(len(code) // 8, code)), 0, 0) == 0
def outcome(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
print(outcome(os.unshare if hasattr(os, "unshare") else lambda flags: libc.unshare(flags) and
      (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")), 0x10000000))
print(outcome(os.memfd_create, "x"))
print(outcome(socket.socket, 40, 1), outcome(socket.socket, socket.AF_UNIX), outcome(socket.socket, socket.AF_INET))
print(os.waitpid(os.fork() or os._exit(3), 0)[1] >> 8)
print(outcome(os.setpriority, os.PRIO_PROCESS, 1, 19), outcome(os.setpriority, os.PRIO_PROCESS, 0, 5))
"""


@pytest.mark.parametrize(("hidden_memory", "memfd"), [(True, "done"), (False, "EPERM")])
def test_what_is_denied_answers_eperm_and_all_else_works(hidden_memory: bool, memfd: str) -> None:
    code = compile_filter(hidden_memory=hidden_memory)
    words = [sys.executable, "-I", "-S", "-c", PROGRAM, code.hex()]
    output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert output.split() == ["EPERM", memfd, "EPERM", "done", "done", "3", "EPERM", "done"]


def test_the_names_are_those_of_system_calls() -> None:
    elsewhere = {"stime", "vm86", "vm86old", "umount", "open_tree_attr"}  # of 32 bits, or newer than the library
    names = " ".join([*DENIED.values(), HIDDEN_MEMORY]).split()
    if os.uname().machine == "x86_64" and ctypes.sizeof(ctypes.c_void_p) == 8:
        assert {name for name in names if not known(name)} <= elsewhere
    assert not known("no_such_call")
