"""Faults are planned by a seed, each kind before any comes again."""

from workers.bench.faults.plan import SECONDS, Kind, plan


def test_a_seed_plans_the_same_again_and_another_something_else() -> None:
    assert plan(1, 40) == plan(1, 40)
    assert plan(1, 40) != plan(2, 40)


def test_each_kind_comes_before_any_comes_again() -> None:
    faults = plan(3, 60)
    assert len(faults) == 60
    assert {fault.kind for fault in faults[: len(Kind)]} == set(Kind)


def test_few_faults_are_of_different_kinds() -> None:
    assert len({fault.kind for fault in plan(1, 5)}) == 5


def test_a_fault_lasts_as_long_as_its_kind_does() -> None:
    for fault in plan(1, 100):
        least, most = SECONDS.get(fault.kind, (0.0, 0.0))
        assert least <= fault.seconds <= most


def test_kinds_can_be_left_out() -> None:
    kinds = tuple(kind for kind in Kind if kind is not Kind.DISK_FULL)
    assert Kind.DISK_FULL not in {fault.kind for fault in plan(1, 100, kinds)}


def test_kills_name_the_process() -> None:
    assert Kind.KILL_GPU.program == "worker-gpu"
    assert [kind for kind in Kind if kind.is_kill] == [kind for kind in Kind if kind.name.startswith("KILL")]
