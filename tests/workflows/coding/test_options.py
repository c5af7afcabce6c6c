"""Timeouts and retries."""

from workflows.coding import options


def test_a_step_is_tried_once_and_the_rest_again() -> None:
    assert options.ACT.retry_policy.maximum_attempts == 1
    for again in (options.PREPARE, options.VERIFY, options.COMPARE, options.THINK):
        assert again.retry_policy.maximum_attempts > 1


def test_a_dead_worker_is_noticed_long_before_the_timeout() -> None:
    for option in (options.PREPARE, options.THINK, options.ACT, options.VERIFY):
        assert option.heartbeat * 10 < option.attempt <= option.total
