"""Measure the agent with a real model: ``python -m tests.agent.tuning [TASK...] [--seeds 1 2 3] [--show]``.

Starts the embedded model server on a free port, with two threads; tasks are in ``tests/agent/tasks``. The loop is the
workflow's, in one process; commands run as plain subprocesses in a temporary folder, without any sandbox, as these
tasks are harmless. A task counts as solved where its hidden test passes in the workspace that is left, its own tests
pass, too, and tests that were there are as they were.
"""

# ruff: noqa: T201 - the table is its output

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agent.actions import Action, Edit, Finish, Read, Run, RunTests, Search, Write, in_a_line
from agent.commands import argv, find_test_command, passed, shell
from agent.files import apply
from agent.finishing import refusal
from agent.limits import Limits, Progress, action_digest, nudge, observation_digest, temperature_after, why_stop
from agent.observations import of_change, of_command, of_tests, opening
from agent.prompt import Driver, Prompt, Window, build
from agent.step import Reply, interpret
from agent.transcript import Entry, Observation, Remark, Task, Turn, cut

TASKS = Path(__file__).parent / "tasks"
WINDOW = Window(context_tokens=8192, answer_tokens=1500)
DRIVER = Driver.TEXT
LIMITS = Limits(steps=16, seconds=900)
TEMPERATURE, TOP_P = 0.2, 0.95
STEP_SECONDS = 60.0


class Ended(NamedTuple):
    """How a command ended."""

    exit_code: int | None
    output: str
    timed_out: bool = False
    out_of_memory: bool = False


class Folder:
    """A workspace on disk; satisfies ``agent.files.Files``."""

    def __init__(self, folder: Path) -> None:
        """Work in this folder."""
        self.folder = folder

    def paths(self) -> list[str]:
        """List the files."""
        files = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path) for path in files if not {"__pycache__", ".pytest_cache"}.intersection(path.parts))

    def read(self, path: str) -> bytes:
        """Read a file."""
        try:
            return (self.folder / path).read_bytes()
        except OSError:
            raise KeyError(path) from None

    def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)

    def run(self, command: tuple[str, ...]) -> Ended:
        """Run a command in the folder."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        try:
            output, _ = process.communicate(timeout=STEP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            return Ended(None, process.communicate()[0], timed_out=True)
        return Ended(process.returncode, output)

    def test(self, task: Task) -> Ended | None:
        """Run the task's tests, if there are any."""
        command = find_test_command(task, self.paths())
        return self.run(shell(command)) if command else None


class Answer(NamedTuple):
    """What the model server answered."""

    reply: Reply
    tokens: int


def ask(url: str, prompt: Prompt, seed: int, temperature: float) -> Answer:
    """Ask the model server, without streaming."""
    body: dict[str, Any] = {
        "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
        "max_tokens": WINDOW.answer_tokens,
        "temperature": temperature,
        "top_p": TOP_P,
        "seed": seed,
    }
    if prompt.schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "action", "schema": prompt.schema}}
    request = urllib.request.Request(  # noqa: S310 - http, on loopback
        f"{url}/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=900) as response:  # noqa: S310
        completion = json.load(response)
    (choice,) = completion["choices"]
    reply = Reply(choice["message"]["content"] or "", finish_reason=choice["finish_reason"])
    return Answer(reply, completion["usage"]["total_tokens"])


def act(action: Action, entries: list[Entry], workspace: Folder) -> str | None:
    """Do it; return the observation, or None where the task is done."""
    task = entries[0]
    assert isinstance(task, Task)
    match action:
        case Read() | Write() | Edit():
            applied = apply(action, workspace)
            return of_change(applied, workspace.test(task) if applied.changed else None)
        case Run() | Search():
            return of_command(action, workspace.run(argv(action)))
        case RunTests():
            return of_tests(workspace.test(task))
        case Finish():
            return refusal(entries, workspace.test(task), workspace.paths())


class Attempt(NamedTuple):
    """How an attempt at a task ended."""

    task: str
    seed: int
    solved: bool
    end: str
    progress: Progress

    def row(self) -> str:
        """Return a line of the table."""
        progress = self.progress
        solved = "yes" if self.solved else "no"
        return (
            f"| {self.task} | {self.seed} | {solved} | {self.end} | {progress.steps} | {progress.tokens:,} "
            f"| {progress.seconds:.0f} |"
        )


def attempt(url: str, name: str, seed: int, folder: Path, *, show: bool) -> Attempt:
    """Let the agent do a task once."""
    if (at_first := TASKS / name / "workspace").is_dir():
        shutil.copytree(at_first, folder, dirs_exist_ok=True)
    workspace = Folder(folder)
    before = {path: workspace.read(path) for path in workspace.paths()}
    task = Task(text=(TASKS / name / "task.md").read_text(), files=tuple(before))
    entries: list[Entry] = [task]
    if known := opening(task.text, workspace, workspace.test(task)):
        entries.append(Observation(step=0, text=known))
    progress, end, start = Progress(), "finish", time.monotonic()
    if show:
        print(*(entry.text for entry in entries), sep="\n")
    while True:
        temperature = temperature_after(progress.same_actions, TEMPERATURE)
        answer = ask(url, build(entries, DRIVER, WINDOW), seed + progress.steps + 1, temperature)
        turn = interpret(progress.steps + 1, answer.reply, entries)
        entries.append(turn)
        progress = progress.after_turn(
            action_digest(turn.action) if turn.action else "", answer.tokens, time.monotonic() - start
        )
        observation = None
        if turn.action:
            text = act(turn.action, entries, workspace)
            if text is None:
                break
            observation = Observation(step=turn.step, text=cut(text))
            entries.append(observation)
            progress = progress.after_observation(observation_digest(text), LIMITS)
        if show:
            tell(turn, observation, answer.tokens)
        if stop := why_stop(progress, LIMITS):
            end = stop.value
            break
        if remark := nudge(progress, LIMITS):
            entries.append(Remark(text=remark, by="june"))
    return Attempt(name, seed, is_solved(name, workspace, task, before), end, progress)


def tell(turn: Turn, observation: Observation | None, tokens: int) -> None:
    """Print a step."""
    print(f"--- step {turn.step}, {tokens} tokens: {in_a_line(turn.action) if turn.action else turn.problem}")
    print(turn.text.replace("\\n", "\n"))
    if observation:
        print(f">>> {observation.text}", flush=True)


def is_solved(name: str, workspace: Folder, task: Task, before: dict[str, bytes]) -> bool:
    """Judge what is left, by the task's own tests, and by those that the agent has not seen."""
    own = workspace.test(task)
    changed = [path for path, data in before.items() if "test_" in path and workspace.read(path) != data]
    workspace.write("hidden_test.py", (TASKS / name / "hidden_test.py").read_bytes())
    hidden = workspace.run((sys.executable, "-m", "pytest", "-q", "hidden_test.py"))
    if not passed(hidden):
        print(hidden.output[-1500:])
    return own is not None and passed(own) and passed(hidden) and not changed


@contextlib.contextmanager
def model_server() -> Iterator[str]:
    """Start the embedded model server; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "JUNE_EMBEDDED_LLM_PORT": str(port),
        "JUNE_LLM_THREADS": "2",
        "JUNE_LLM_CONTEXT_TOKENS": str(WINDOW.context_tokens),
    }
    process = subprocess.Popen([sys.executable, "-m", "workers.engines.llama_server"], env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310
                break
            time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    """Do the tasks; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    every = sorted(path.parent.name for path in TASKS.glob("*/task.md"))
    parser.add_argument("tasks", nargs="*", default=every)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--url", help="of a model server that runs already")
    parser.add_argument("--show", action="store_true", help="print each step")
    chosen = parser.parse_args()
    attempts = []
    with contextlib.nullcontext(chosen.url) if chosen.url else model_server() as url:
        for seed in chosen.seeds:
            for name in chosen.tasks:
                with tempfile.TemporaryDirectory() as folder:
                    attempts.append(attempt(url, name, seed, Path(folder), show=chosen.show))
                print(attempts[-1].row(), flush=True)
    print("\n| task | seed | solved | end | steps | tokens | seconds |\n|---|---|---|---|---|---|---|")
    print("\n".join(each.row() for each in attempts))
    print(f"\n{sum(each.solved for each in attempts)} of {len(attempts)} solved")


if __name__ == "__main__":
    main()
