"""What attempts are made of."""

from activities.benchmarks.attempts import FAULTS, AttemptOutcome, attempt_seed


def test_each_attempt_has_its_own_seed_and_always_the_same() -> None:
    seeds = {attempt_seed(seed, task, sample) for seed in (0, 1) for task in ("a", "b") for sample in range(50)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert attempt_seed(0, "HumanEval/0", 0) == attempt_seed(0, "HumanEval/0", 0)


def test_only_the_machinery_has_faults() -> None:
    assert {AttemptOutcome.SANDBOX_ERROR, AttemptOutcome.MODEL_ERROR} == FAULTS
