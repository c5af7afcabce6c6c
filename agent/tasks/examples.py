"""Examples in a function's docstring, as tests that an agent may see and run."""

import ast
import doctest
import warnings

from agent.tasks.task import BenchmarkTask, Files

FILE = "test_examples.py"
HEAD = '"""The examples of the docstring."""\n\nfrom {module} import {name}\n'
TEST = "\n\ndef test_example_{number}():\n    assert {example}\n"


def example_tests(task: BenchmarkTask) -> Files:
    """Return a file of tests with the docstring's examples that Python understands; nothing where there are none.

    An example counts where it is an expression, and what it gives a literal, or where it is a comparison by itself.
    """
    stub = task.files.get(task.answer_path, "")
    if not task.name or "/" in task.answer_path or FILE in task.files:
        return {}
    examples = [found for example in _examples(stub, task.name) if (found := _comparison(example))]
    if not examples:
        return {}
    head = HEAD.format(module=task.answer_path.removesuffix(".py"), name=task.name)
    tests = [TEST.format(number=number, example=example) for number, example in enumerate(examples, 1)]
    return {FILE: head + "".join(tests)}


def _examples(stub: str, name: str) -> list[doctest.Example]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python takes as they are
            functions = [node for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef)]
        docs = [ast.get_docstring(function) or "" for function in functions if function.name == name]
        return [example for doc in docs for example in doctest.DocTestParser().get_examples(doc)]
    except (SyntaxError, ValueError):
        return []


def _comparison(example: doctest.Example) -> str:
    """Return an example as an expression that is to be true; empty where it is none."""
    source, wanted = example.source.strip(), example.want.strip()
    try:
        expression = ast.parse(source, mode="eval").body
        if not wanted:
            return ast.unparse(expression) if isinstance(expression, ast.Compare) else ""
        literal = ast.unparse(ast.parse(wanted, mode="eval").body)
        ast.literal_eval(wanted)
    except (SyntaxError, ValueError):
        return ""
    return f"{ast.unparse(expression)} == {literal}"
