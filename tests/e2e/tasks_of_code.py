"""Do the tasks of ``tests/agent/tasks`` by ``june code`` with the default model: a table for docs/coding.md.

``python -m tests.e2e.tasks_of_code [TASK...] [--driver schema] [--write]``; each task once, in order, a first try. A
task counts as solved where ``june code`` has finished and changed the folder, the folder's own tests pass, those that
were there are as they were, and a hidden test passes.
"""

# ruff: noqa: T201 - the table is its output

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.agent.tuning import TASKS, WINDOW
from tests.workers.conftest import prepared_home
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import PROJECT, LlmSettings, WorkerSettings
from workflows.coding.contracts import CodingReport

PAGE = PROJECT / "docs" / "coding.md"
BEGIN, END = "<!-- five tasks: begin -->", "<!-- five tasks: end -->"
STEPS = 20


class Done(NamedTuple):
    """How a task went."""

    name: str
    about: str
    report: CodingReport
    solved: bool

    def row(self) -> str:
        """Return a line of the table."""
        report = self.report
        end = f"{report.outcome}{f', {report.code}' if report.code else ''}"
        tokens = report.prompt_tokens + report.completion_tokens
        solved = "yes" if self.solved else "no"
        return f"| {self.name} | {self.about} | {solved} | {end} | {report.steps} | {tokens:,} | {report.seconds:.0f} |"


HEAD = "| task | | solved | end | steps | tokens | seconds |\n|---|---|---|---|---|---|---|\n"


def passes(folder: Path, *names: str) -> bool:
    """Run these tests of the folder, or all that it has."""
    pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names)
    return subprocess.run(pytest, cwd=folder, capture_output=True, timeout=60, check=False).returncode == 0


def do(name: str, folder: Path, environment: dict[str, str]) -> Done:
    """Have the agent do a task in this folder, and judge what is there then."""
    at_first = TASKS / name / "workspace"
    if at_first.is_dir():
        shutil.copytree(at_first, folder)
    else:
        folder.mkdir()
    before = {path: path.read_bytes() for path in folder.rglob("test_*.py")}
    options = ("--workspace", str(folder), "--steps", str(STEPS), "--yes", "--json")
    words = (sys.executable, "-m", "workers.cli", "code", "run", (TASKS / name / "task.md").read_text(), *options)
    process = subprocess.run(words, env=os.environ | environment, stdout=subprocess.PIPE, check=False)
    report = CodingReport.model_validate(json.loads(process.stdout)["report"])
    kept = all(path.is_file() and path.read_bytes() == data for path, data in before.items())
    own = kept and passes(folder)
    shutil.copy(TASKS / name / "hidden_test.py", folder)
    solved = process.returncode == 0 and own and passes(folder, "hidden_test.py")
    return Done(name, "a bug" if at_first.is_dir() else "from nothing", report, solved)


async def every(names: list[str], driver: str) -> list[Done]:
    """Do the tasks one after the other."""
    done = []
    os.environ["JUNE_CODE_DRIVER"] = driver
    with tempfile.TemporaryDirectory() as temporary:
        storage, llm = prepared_home(Path(temporary) / "home"), LlmSettings(context_tokens=WINDOW.context_tokens)
        work = WorkerSettings(engines="model")
        async with Embedded(storage, own_ports(), llm, work, optional=[Role.SANDBOX]) as stack:
            environment = {"TEMPORAL_ADDRESS": stack.address, "JUNE_HOME": str(storage.home)}
            for name in names:
                done.append(await asyncio.to_thread(do, name, Path(temporary) / name, environment))
                print(done[-1].row(), flush=True)
    return done


def main() -> None:
    """Do the tasks; print the table, and write it into the documentation where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", default=sorted(path.parent.name for path in TASKS.glob("*/task.md")))
    parser.add_argument("--driver", default="auto")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    done = asyncio.run(every(chosen.tasks, chosen.driver))
    table = HEAD + "\n".join(one.row() for one in done)
    print(f"\n{table}\n\n{sum(one.solved for one in done)} of {len(done)} solved")
    if chosen.write:
        page, held = PAGE.read_text(), f"{BEGIN}\n{table}\n{END}"
        PAGE.write_text(re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: held, page, flags=re.DOTALL))


if __name__ == "__main__":
    main()
