"""JUnit's XML, which CI systems read."""

import re
from collections.abc import Iterable
from itertools import groupby
from xml.etree import ElementTree as ET

from activities.testruns.results import BAD, Outcome, TestResult

ELEMENTS = {Outcome.FAILED: "failure", Outcome.SKIPPED: "skipped", Outcome.XFAILED: "skipped"}
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, escaped or not."""


def junit(run: str, results: Iterable[TestResult]) -> bytes:
    """Write the results of a run, a test suite a module."""
    suites = ET.Element("testsuites", name=run)
    for module, group in groupby(results, key=lambda result: result.node.partition("::")[0]):
        tests = list(group)
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=_clean(module),
            tests=str(len(tests)),
            failures=str(sum(result.outcome is Outcome.FAILED for result in tests)),
            errors=str(sum(result.outcome in BAD - {Outcome.FAILED} for result in tests)),
            skipped=str(sum(_element(result) == "skipped" for result in tests)),
            time=f"{sum(result.seconds for result in tests):.3f}",
        )
        folder = _clean(module.removesuffix(".py").replace("/", "."))
        for result in tests:
            name = _clean(result.node.partition("::")[2] or result.node)
            test = ET.SubElement(suite, "testcase", classname=folder, name=name, time=f"{result.seconds:.3f}")
            if element := _element(result):
                ET.SubElement(test, element, type=result.outcome.value, message=_clean(result.message))
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode").encode()


def _element(result: TestResult) -> str:
    if result.outcome in {Outcome.PASSED, Outcome.XPASSED}:
        return ""
    return ELEMENTS.get(result.outcome, "error")


def _clean(text: str) -> str:
    return FORBIDDEN.sub("�", text)
