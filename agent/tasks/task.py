"""A benchmark task: what an agent is told and begins with, what a model is asked, and what scores the result."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Files = dict[str, str]
"""Contents by relative path."""


class Value(BaseModel):
    """Base of what describes a task: immutable, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Asserts(Value):
    """Assertions about a function of the submission."""

    form: Literal["asserts"] = "asserts"
    module: str
    function: str
    name: str
    """By which the assertions call it."""
    setup: str = ""
    """Python that is run before them, by the checker: what they use beside the function."""
    asserts: tuple[str, ...] = Field(min_length=1)
    """Python; each is one check."""


class Cases(Value):
    """Arguments for a function of the submission, and what it is to return."""

    form: Literal["cases"] = "cases"
    module: str
    function: str
    setup: str = ""
    """Python that the checker runs: the reference, where ``expected`` is None, and what ``accept`` names."""
    cases: tuple[list[Any], ...] = Field(min_length=1)
    """Arguments of each case: JSON."""
    expected: tuple[Any, ...] | None = None
    """For each case: JSON; None where the function of the same name in ``setup`` says it."""
    tolerance: float = 0
    """Absolute, between floats; 0 is the usual one."""
    accept: str = ""
    """Name of a function in ``setup`` that decides instead, of the arguments and the result."""
    loose: bool = False
    """Whether tuples and lists are the same, and a generator stands for its items."""


class UnitTests(Value):
    """Hidden test files of ``unittest``, run by the checker with proxies of the submission's modules."""

    form: Literal["unittest"] = "unittest"
    modules: tuple[str, ...]
    """Of the submission, which the tests import."""
    tests: tuple[tuple[str, str], ...]
    """Names and sources, in the order of their import."""


class TestRun(Value):
    """Tests that are run together with the submission, in one process."""

    __test__ = False  # pytest looks into classes that are named so

    form: Literal["pytest"] = "pytest"
    files: Files
    """Test files, which replace those of the tree."""
    fail_to_pass: tuple[str, ...] = Field(min_length=1)
    """Ids of tests that the pristine tree fails."""
    pass_to_pass: tuple[str, ...] = ()
    """Ids of tests that it passes, and that are to pass still."""


Scoring = Annotated[Asserts | Cases | UnitTests | TestRun, Field(discriminator="form")]


class BenchmarkTask(Value):
    """A task of a data set."""

    id: str = Field(min_length=1, max_length=200)
    text: str
    """What the agent is told."""
    files: Files
    """What it begins with; hidden tests are not among it."""
    prompt: str
    """What a model is asked for a single answer."""
    answer_path: str
    """File that a code block without a name becomes."""
    name: str = ""
    """Function that the answer's code is to define, where that tells which of several blocks is meant."""
    preamble: str = ""
    """Put before code that was taken out of an answer: imports and functions that the prompt has."""
    reference: Files
    """Files that solve it, beside those that it begins with; an agent never sees them."""
    scoring: Scoring
    """Hidden, too."""
