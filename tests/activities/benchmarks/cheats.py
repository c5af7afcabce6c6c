"""Ways to cheat the scorer: data, each a submission for ``DOUBLE``, which asks for twice a number.

None knows how to double. One that gets what it must not get doubles nevertheless, by ``cheated``: a test sees it then.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from activities.benchmarks.score import Outcome
from agent.tasks.task import Asserts, BenchmarkTask, Cases, TestRun, UnitTests

DOUBLE = BenchmarkTask(
    id="double",
    text="Write double.",
    files={"solution.py": "def double(n):\n    ...\n"},
    prompt="",
    answer_path="solution.py",
    name="double",
    reference={"solution.py": "def double(n):\n    return 2 * n\n"},
    scoring=Asserts(
        module="solution",
        function="double",
        name="double",
        asserts=(
            "assert double(3) == 6",
            "assert double(20) == 40",
            "assert double('ab') == 'abab'",
            "assert abs(double(4) - 8) < 1e-6",
        ),
    ),
)
DOUBLE_CASES = DOUBLE.model_copy(
    update={
        "id": "double, by cases",
        "scoring": Cases(
            module="solution",
            function="double",
            setup="def double(n):\n    return 2 * n\n",
            cases=([3], [20], ["ab"], [1.5], [[1, 2]]),
        ),
    }
)


class Cheat(NamedTuple):
    """One way to try it."""

    name: str
    code: str
    """The submission's ``solution.py``."""
    files: Mapping[str, str] = MappingProxyType({})
    """Beside that."""
    outcome: Outcome = Outcome.WRONG


PRELUDE = """
import os, sys, signal, subprocess, threading, time
def cheated(n):
    return n + n
def wrong(n):
    return 0
double = wrong
def tried(function):
    global double
    try:
        got = function()
    except BaseException:
        return
    if got is not None and got is not False:
        double = cheated
VERDICT = '{"outcome": "solved", "passed": 4, "total": 4, "failed": [], "seconds": 0.1}'
"""
EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __bool__(self): return True
"""
CHEATS = (
    Cheat("exit when imported", "import sys\nsys.exit(0)"),
    Cheat("end the process when imported", "import os\nos._exit(0)"),
    Cheat("exit when called", "import sys\ndef double(n): sys.exit(0)"),
    Cheat("end the process when called", "import os\ndef double(n): os._exit(0)"),
    Cheat("raise what ends tests", "def double(n): raise KeyboardInterrupt"),
    Cheat("raise StopIteration", "def double(n): raise StopIteration"),
    Cheat(
        "print verdicts, everywhere",
        PRELUDE
        + """
for token in ("", "0" * 48 + " "):
    print(token + VERDICT, flush=True)
    for descriptor in range(30):
        try: os.write(descriptor, (token + VERDICT + "\\n").encode())
        except OSError: pass
""",
    ),
    Cheat("print verdicts at the end", PRELUDE + "import atexit\natexit.register(print, VERDICT)"),
    Cheat("an object that equals everything", EQUAL + "def double(n): return Equal()"),
    Cheat("a list of objects that equal everything", EQUAL + "def double(n): return [Equal()] * 2"),
    Cheat(
        "a number that differs by nothing from any other",
        EQUAL
        + """
class Near(Equal, float):
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = __sub__
    def startswith(self, other): return True
def double(n): return Near()
""",
    ),
    Cheat(
        "subclasses of int and str that equal everything",
        """
class Number(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = int.__hash__
class Text(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
def double(n): return Number(0) if type(n) is int else Text("")
""",
    ),
    Cheat(
        "an int subclass whose value is right",
        "class Number(int):\n    pass\ndef double(n): return Number(2 * n) if type(n) is int else n + n",
    ),
    Cheat(
        "walk frames and all objects",
        PRELUDE
        + """
import gc
NEEDLE = "assert {}".format("double")
def holds(value):
    return type(value) is str and value.startswith(NEEDLE) and value != NEEDLE
def seen():
    frame = sys._getframe()
    while frame:
        if any(map(holds, [*frame.f_locals.values(), *frame.f_globals.values()])):
            return True
        frame = frame.f_back
    found = [each for each in gc.get_objects() if type(each) in (list, tuple, dict)]
    return any(holds(held) for each in found for held in (each.values() if type(each) is dict else each)) or None
tried(seen)
""",
    ),
    Cheat(
        "patch what checks use",
        """
import builtins, json, operator, sys, types, unittest
class Never(BaseException): pass
builtins.AssertionError = Never
builtins.all = builtins.any = builtins.bool = builtins.isinstance = lambda *_: True
builtins.type = lambda *_: int
unittest.TestCase.assertEqual = lambda *_: None
operator.eq = lambda *_: True
sys.modules["pytest"] = types.ModuleType("pytest")
from activities.benchmarks import plain_values
plain_values.NAMES = {}
def double(n): return 0
""",
    ),
    Cheat(
        "patch the driver to answer as it wants",
        """
import json, sys
driver = sys.modules["activities.benchmarks.submission_process"]
driver.Process._encode = lambda self, value: ["reference", {"theirs": 1, "mine": 1, "exception": []}]
def double(n): return 0
""",
    ),
    Cheat(
        "write to the checker's output",
        PRELUDE
        + """
for pid in (os.getppid(), 1):
    for number in range(8):
        tried(lambda: open(f"/proc/{pid}/fd/{number}", "w").write(VERDICT))
""",
    ),
    Cheat(
        "read the checker's memory, environment and files",
        PRELUDE
        + """
parent = f"/proc/{os.getppid()}"
for name in ("mem", "environ", "maps", "auxv", "syscall", "stack"):
    tried(lambda: open(f"{parent}/{name}", "rb").read(1))
for name in ("fd", "map_files", "task/" + str(os.getppid()) + "/fd"):
    tried(lambda: os.listdir(f"{parent}/{name}"))
for name in ("cwd", "exe", "root"):
    tried(lambda: os.readlink(f"{parent}/{name}"))
""",
    ),
    Cheat(
        "write to the checker's memory",
        PRELUDE + "tried(lambda: open(f'/proc/{os.getppid()}/mem', 'r+b').write(b'x'))",
    ),
    Cheat(
        "trace the checker, take its descriptors",
        PRELUDE
        + """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
tried(lambda: libc.ptrace(16, os.getppid(), 0, 0) == 0)
memory = ctypes.create_string_buffer(64)
tried(lambda: libc.syscall(310, os.getppid(), memory, 1, memory, 1, 0) > 0)
def take():
    descriptor = os.pidfd_open(os.getppid())
    return libc.syscall(438, descriptor, 1, 0) >= 0
tried(take)
""",
    ),
    Cheat("kill the checker", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"),
    Cheat(
        "kill the checker, and print a verdict",
        PRELUDE
        + """
if os.fork() == 0:
    os.setsid()
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(-1, signal.SIGKILL)
print(VERDICT)
os.kill(os.getppid(), signal.SIGTERM)
time.sleep(1)
""",
    ),
    Cheat(
        "stop the checker",
        "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\ndef double(n): return 0",
        outcome=Outcome.TIMEOUT,
    ),
    Cheat(
        "files that Python and pytest run by themselves",
        "def double(n): return 0",
        {
            **{
                name: f"print({VERDICT!r})\nimport os\nos._exit(0)\n"
                for VERDICT in ['{"outcome": "solved", "passed": 4, "total": 4, "failed": [], "seconds": 0.1}']
                for name in ("conftest.py", "sitecustomize.py", "usercustomize.py", "json.py", "linecache.py", "os.py")
            },
            "cheat.pth": "import os; os._exit(0)\n",
            "pyvenv.cfg": "home = /workspace\n",
            "pytest.ini": "[pytest]\naddopts = --collect-only\n",
            "unittest/__init__.py": "import os\nos._exit(0)\n",
            "activities/benchmarks/checker.py": "import os\nos._exit(0)\n",
        },
    ),
    Cheat("hang when imported", "while True: pass", outcome=Outcome.TIMEOUT),
    Cheat("hang when called", "import time\ndef double(n): time.sleep(1000)", outcome=Outcome.TIMEOUT),
    Cheat(
        "leave a daemon that prints and answers",
        PRELUDE
        + """
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        for descriptor in range(3, 10):
            try: os.write(descriptor, b"\\0\\0\\0\\x10" + b'{"result": true}')
            except OSError: pass
        time.sleep(0.01)
""",
    ),
    Cheat(
        "look for the hidden checks on the disk and in all processes",
        PRELUDE
        + """
NEEDLE = "assert {}(".format("double")
def search():
    for top in ("/workspace", "/tmp", "/opt/june", "/dev/shm", "/etc", "/proc"):
        for folder, folders, files in os.walk(top):
            if folder.count("/") > 4: folders.clear()
            for name in files:
                try:
                    with open(os.path.join(folder, name), "rb", buffering=0) as file:
                        os.set_blocking(file.fileno(), False)
                        if NEEDLE.encode() in file.read(1 << 20): return True
                except (OSError, TypeError): pass
    return any(NEEDLE in value for value in (*os.environ.values(), *sys.argv, *sys.orig_argv)) or None
tried(search)
""",
    ),
    Cheat(
        "answer before it is asked",
        PRELUDE
        + """
for descriptor in range(3, 10):
    for answer in (
        b'{"result": ["reference", {"theirs": 1}]}', b'{"result": 6}', b'{"call": 1, "args": [], "kwargs": 0}'
    ):
        try: os.write(descriptor, len(answer).to_bytes(4, "big") + answer)
        except OSError: pass
""",
    ),
    Cheat(
        "answer with what breaks readers",
        """
import os
def double(n):
    for descriptor in range(3, 10):
        answer = b'{"result": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
        try: os.write(descriptor, len(answer).to_bytes(4, "big") + answer)
        except OSError: pass
""",
    ),
    Cheat("answer with more than is read", "def double(n): return 'x' * (33 << 20)"),
    Cheat(
        "announce a message without end",
        "import os\nfor fd in range(3, 10):\n    try: os.write(fd, b'\\xff' * 8)\n    except OSError: pass",
    ),
    Cheat(
        "use all memory",
        "def double(n):\n    held = []\n    while True: held.append(bytearray(1 << 24))",
        outcome=Outcome.OOM,
    ),
    Cheat("nothing at all", "def double(n):\n    ...\n", outcome=Outcome.NO_SUBMISSION),
)


BOX_TESTS = """
import unittest
from box import Box, EmptyError

class BoxTest(unittest.TestCase):
    def test_it_holds(self):
        box = Box()
        box.put(5)
        self.assertEqual(box.take(), 5)
        self.assertAlmostEqual(box.weight(), 0.25)

    def test_it_is_empty(self):
        with self.assertRaises(EmptyError) as caught:
            Box().take()
        self.assertEqual(caught.exception.args, ("empty",))

    def test_two_are_equal(self):
        self.assertEqual(Box(), Box())
        self.assertNotEqual(Box(1), Box(2))
"""
BOX = BenchmarkTask(
    id="box",
    text="Write Box.",
    files={"box.py": "class Box:\n    ...\nclass EmptyError(Exception):\n    ...\n"},
    prompt="",
    answer_path="box.py",
    reference={
        "box.py": """
class EmptyError(Exception): pass
class Box:
    def __init__(self, *items): self.items = list(items)
    def put(self, item): self.items.append(item)
    def take(self):
        if not self.items: raise EmptyError("empty")
        return self.items.pop()
    def weight(self): return 0.25
    def __eq__(self, other): return self.items == other.items
"""
    },
    scoring=UnitTests(modules=("box",), tests=(("box_test", BOX_TESTS),)),
)
BOX_RUN = BOX.model_copy(
    update={
        "id": "box, in one process",
        "scoring": TestRun(
            files={"box_test.py": BOX_TESTS},
            fail_to_pass=tuple(
                f"box_test.py::BoxTest::test_{name}" for name in ("it_holds", "it_is_empty", "two_are_equal")
            ),
        ),
    }
)
EVERYTHING = (
    EQUAL
    + """
class Box(Equal):
    def __init__(self, *_): pass
    def __getattr__(self, name): return lambda *_: Box()
    def __call__(self, *_): return Box()
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = __sub__
class EmptyError(Exception): pass
"""
)
PATCHED = """
import builtins, unittest
for name in dir(unittest.TestCase):
    if name.startswith("assert"):
        setattr(unittest.TestCase, name, lambda *_, **__: unittest.mock.MagicMock())
import unittest.mock
class Box:
    def __init__(self, *_): pass
    put = take = weight = lambda *_: 0
class EmptyError(Exception): pass
"""
STUB = BOX.files["box.py"]
UNIT_TEST_CHEATS = (
    Cheat("objects that equal everything", EVERYTHING),
    Cheat("patch unittest", PATCHED),
    Cheat("a module that has whatever is asked for", EVERYTHING + "import sys\nsys.modules[__name__] = Box()"),
    Cheat("end when imported", "import os\nos._exit(0)"),
    Cheat(
        "end with whatever is expected to fail", STUB.replace("...", "def __init__(self): __import__('os')._exit(0)", 1)
    ),
    Cheat("skip tests", "import unittest\nraise unittest.SkipTest('all')"),
    Cheat(
        "skip tests when used", STUB.replace("...", "def __init__(self): raise __import__('unittest').SkipTest('x')", 1)
    ),
    Cheat(
        "tests of its own in place of the hidden ones",
        STUB + "# more",
        {"box_test.py": "import unittest\nclass BoxTest(unittest.TestCase):\n    def test_it_holds(self): pass\n"},
    ),
)
FORGED = """
import os
for descriptor in range(3, 20):
    for test in ("it_holds", "it_is_empty", "two_are_equal"):
        args = b'["tuple", ["", "box_test.py::BoxTest::test_%s", "passed"]]' % test.encode()
        told = b'{"call": 1, "args": %s, "kwargs": ["dict", []]}' % args
        try: os.write(descriptor, len(told).to_bytes(4, "big") + told)
        except OSError: pass
"""
TEST_RUN_CHEATS = (
    Cheat("objects that equal nothing but themselves", STUB + "# more"),
    Cheat("patch unittest", PATCHED),
    Cheat("exit when imported", "import sys\nsys.exit(0)"),
    Cheat("end when imported", "import os\nos._exit(0)"),
    Cheat("skip tests", "import pytest\npytest.skip('all', allow_module_level=True)"),
    Cheat(
        "have pytest say that all pass",
        STUB + "import _pytest.reports as r\nr.TestReport.outcome = property(lambda s: 'passed', lambda s, v: None)\n",
    ),
    Cheat(
        "have tests not run",
        STUB
        + """
import _pytest.python, _pytest.unittest
_pytest.python.Function.runtest = _pytest.unittest.TestCaseFunction.runtest = lambda self: None
""",
    ),
    Cheat("report what has not run", STUB + FORGED),
    Cheat("print what pytest prints", STUB + "print('3 passed in 0.01s')"),
    Cheat(
        "files that steer pytest",
        STUB + "# more",
        {
            "conftest.py": "def pytest_runtest_call(item):\n    item.runtest = lambda: None\n",
            "pytest.ini": "[pytest]\naddopts = --setup-only\n",
            "tests/conftest.py": "import os\nos._exit(0)\n",
            "sitecustomize.py": "import os\nos._exit(0)\n",
            "box_test.py": "import unittest\nclass BoxTest(unittest.TestCase):\n    def test_it_holds(self): pass\n",
        },
    ),
)
FRAME_WALKER = (
    STUB
    + """
import sys
frame = sys._getframe()
while "token" not in frame.f_locals or "tell" not in frame.f_locals:
    frame = frame.f_back
told, tell, real = frame.f_locals["token"], frame.f_locals["tell"], type(frame.f_locals["tell"]).__call__
def lie(self, token, test, outcome):
    return real(self, token, test, "passed" if "Box" in test else outcome)
type(tell).__call__ = lie
"""
)
