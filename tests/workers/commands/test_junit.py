"""JUnit's XML of a run."""

from xml.etree import ElementTree as ET

from activities.testruns.results import Outcome, make_result
from workers.commands.junit import junit


def test_junit_is_xml_whatever_tests_say() -> None:
    results = [
        make_result("test_a.py::test_one[ä<&>]", Outcome.PASSED, 1.5),
        make_result("test_a.py::test_two", Outcome.FAILED, 0.5, 'a \x1b[31mred\x1b[0m "message" \x00 <&>'),
        make_result("test_a.py::test_three", Outcome.SKIPPED, 0, "not today"),
        make_result("sub/test_b.py", Outcome.CRASHED, 0, "killed by SIGSEGV"),
    ]
    root = ET.fromstring(junit("tests/1", results))  # noqa: S314 - our own
    first, second = root
    assert (first.get("tests"), first.get("failures"), first.get("errors"), first.get("skipped")) == (
        "3",
        "1",
        "0",
        "1",
    )
    assert first.get("time") == "2.000"
    assert [test.get("name") for test in first] == ["test_one[ä<&>]", "test_two", "test_three"]
    assert first[1][0].tag == "failure"
    assert '"message"' in str(first[1][0].get("message"))
    assert (second.get("errors"), second[0].get("classname"), second[0][0].tag) == ("1", "sub.test_b", "error")
