"""Tasks in a repository."""

import gzip
import json
from importlib import resources

import pytest

from agent.tasks.answers import submission
from agent.tasks.data_sets import find, load
from agent.tasks.repository import read
from agent.tasks.task import TestRun
from tests.agent.tasks.own_sets import REPOSITORY, SETS


@pytest.mark.parametrize("file", SETS)
def test_what_is_shipped_is_made_of_its_source(file: str) -> None:
    shipped = resources.files("agent.tasks.data").joinpath(file).read_bytes()
    assert gzip.decompress(shipped) == SETS[file]()


def test_the_shipped_set() -> None:
    tasks = load(find("june-repository"))
    assert [task.id for task in tasks] == [row["instance_id"] for row in REPOSITORY]
    for task in tasks:
        assert isinstance(task.scoring, TestRun)
        assert task.scoring.fail_to_pass
        hidden = [test.partition("::")[2].partition("[")[0] for test in task.scoring.fail_to_pass]
        shown = "\n".join([task.text, task.prompt, *task.files.values()])
        assert not [test for test in hidden if f"def {test}(" in shown]


def test_lists_may_be_written_as_swe_bench_writes_them() -> None:
    row = {**REPOSITORY[0], "FAIL_TO_PASS": json.dumps(REPOSITORY[0]["FAIL_TO_PASS"]), "PASS_TO_PASS": "[]"}
    (task,) = read(json.dumps(row).encode())
    assert isinstance(task.scoring, TestRun)
    assert list(task.scoring.fail_to_pass) == REPOSITORY[0]["FAIL_TO_PASS"]
    assert task.scoring.pass_to_pass == ()


def test_an_answer_may_change_several_files() -> None:
    task = load(find("june-repository"))[0]
    answer = "slugs/making.py\n```python\n1\n```\n\nslugs/__init__.py\n```python\n2\n```"
    changed = submission(task, answer)
    assert changed == {**task.files, "slugs/making.py": "1\n", "slugs/__init__.py": "2\n"}


@pytest.mark.parametrize("change", [{"reference": {}}, {"FAIL_TO_PASS": []}, {"FAIL_TO_PASS": "x"}, {"tree": None}])
def test_what_is_no_task_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        list(read(json.dumps({**REPOSITORY[0], **change}).encode()))
