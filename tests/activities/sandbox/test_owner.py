"""Who has made something, and whether it lives: real processes."""

import subprocess
import sys

from activities.sandbox.owner import is_dead, this_worker

NAME = "from activities.sandbox.owner import this_worker; print(this_worker(), flush=True); input()"


def test_a_worker_is_dead_when_its_process_has_ended() -> None:
    assert not is_dead(this_worker())
    with subprocess.Popen([sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        name = worker.stdout.readline().decode().strip()
        assert name != this_worker()
        assert not is_dead(name)
        worker.kill()
        worker.stdout.read()
        while worker.poll() is None:
            pass
        assert is_dead(name)


def test_the_process_id_of_another_is_not_enough() -> None:
    boot, namespace, pid, started = this_worker().split("-")
    assert is_dead(f"{boot}-{namespace}-{pid}-{int(started) + 1}")
    assert not is_dead(f"{boot}-1-{pid}-{int(started) + 1}")  # of another namespace, where it may live
    assert is_dead(f"00000000-{namespace}-{pid}-{started}")  # the machine has started since
    assert not is_dead("of somebody else")
