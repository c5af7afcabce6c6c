"""JUnit's XML, which CI systems read."""

import re
from collections.abc import Iterable
from itertools import groupby
from xml.etree import ElementTree as ET

from activities.testruns.results import BAD, Outcome, TestResult

ELEMENTS = {Outcome.FAILED: "failure", Outcome.SKIPPED: "skipped", Outcome.XFAILED: "skipped"}
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, escaped or not."""


def junit(run: str, cases: Iterable[TestResult]) -> bytes:
    """Write a run's tests, a test suite a module."""
    suites = ET.Element("testsuites", name=run)
    for module, group in groupby(cases, key=lambda one: one.node.partition("::")[0]):
        tests = list(group)
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=_clean(module),
            tests=str(len(tests)),
            failures=str(sum(one.outcome is Outcome.FAILED for one in tests)),
            errors=str(sum(one.outcome in BAD - {Outcome.FAILED} for one in tests)),
            skipped=str(sum(_element(one) == "skipped" for one in tests)),
            time=f"{sum(one.seconds for one in tests):.3f}",
        )
        for one in tests:
            _add(suite, module, one)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode").encode()


def _add(suite: ET.Element, module: str, one: TestResult) -> None:
    name = one.node.partition("::")[2] or one.node
    folder = module.removesuffix(".py").replace("/", ".")
    test = ET.SubElement(suite, "testcase", classname=_clean(folder), name=_clean(name), time=f"{one.seconds:.3f}")
    if element := _element(one):
        ET.SubElement(test, element, type=one.outcome.value, message=_clean(one.message))


def _element(one: TestResult) -> str:
    if one.outcome in {Outcome.PASSED, Outcome.XPASSED}:
        return ""
    return ELEMENTS.get(one.outcome, "error")


def _clean(text: str) -> str:
    return FORBIDDEN.sub("�", text)
