"""Memory and processor time, of this process; the stack's are measured by ``june bench footprint``."""

import os

from workers.bench.footprint import _busy, _family


def test_processor_time_grows_with_work() -> None:
    before = _busy([os.getpid()])
    while _busy([os.getpid()]) <= before:
        sum(range(100_000))
    assert os.getpid() in {process.pid for process in _family(os.getpid())}
