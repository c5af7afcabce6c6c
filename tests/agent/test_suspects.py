"""Which functions a task speaks of."""

from hypothesis import given
from hypothesis import strategies as st

from agent.suspects import MAX_SUSPECTS, suspects
from tests.agent.test_files import Memory

STATISTICS = b"def mean(values): ...\n\n\ndef median(values): ...\n"
REPORT = b"from grades.statistics import mean, median\n\n\ndef report(text): return median(text)\n"


def test_words_name_functions_and_what_is_called_goes_first() -> None:
    files = Memory({"grades/report.py": REPORT, "grades/statistics.py": STATISTICS, "test_report.py": REPORT})
    told = suspects("`python3 -m grades.report FILE` prints wrong medians", files)
    assert told == ["`median` in grades/statistics.py", "`report` in grades/report.py"]
    assert suspects("Mend it.", files) == []


def test_words_name_modules() -> None:
    files = Memory({"shop/discounts.py": b"def reduced(cents): ...\n", "shop/broken.py": b"def discount(\n"})
    assert suspects("A cart with a discount code comes out wrong.", files) == ["`reduced` in shop/discounts.py"]


@given(st.text(), st.binary())
def test_any_workspace_can_be_looked_at(task: str, data: bytes) -> None:
    files = Memory({f"module{number}.py": b"def one(): ...\ndef two(): ...\n" for number in range(9)} | {"a.py": data})
    assert len(suspects(f"{task} module1 one two", files)) == MAX_SUSPECTS
