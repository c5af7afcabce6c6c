"""Which faults a campaign has, and when: by a seed, so that a campaign can be held again."""

import random
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What goes wrong."""

    KILL_TEMPORAL = "kill temporal"
    KILL_WORKFLOWS = "kill worker-workflows"
    KILL_GPU = "kill worker-gpu"
    KILL_CPU = "kill worker-cpu"
    KILL_FILE = "kill worker-file"
    KILL_TELEGRAM = "kill bot-telegram"
    KILL_WEB = "kill bot-web"
    KILL_TESTS = "kill worker-tests"
    KILL_SANDBOX = "kill worker-sandbox"
    KILL_DECODER = "kill decoder"
    KILL_MODEL = "kill model server"
    KILL_JUNE = "kill june up"
    RESTART_TEMPORAL = "restart temporal"
    RESTART_JUNE = "restart june up"
    FREEZE_GPU = "freeze worker-gpu"
    FREEZE_TELEGRAM = "freeze bot-telegram"
    BLOBS_GONE = "blob store gone"
    DISK_FULL = "disk full"
    MODEL_HANGS = "model server hangs"
    MODEL_REFUSES = "model server refuses"
    MODEL_BREAKS_OFF = "model server breaks off"
    PLATFORM_WAIT = "platform asks to wait"
    PLATFORM_FAILS = "platform fails"
    PLATFORM_AWAY = "platform away"
    PLATFORM_SILENT = "platform loses its answers"

    @property
    def program(self) -> str:
        """Name of the process that it is about, as june names it; of other kinds it means nothing."""
        return self.value.partition(" ")[2]

    @property
    def is_kill(self) -> bool:
        """Whether a process is killed by SIGKILL."""
        return self.value.startswith("kill")


SECONDS = {
    Kind.FREEZE_GPU: (6.0, 9.0),  # longer than a heartbeat's time-out: the task is given to another
    Kind.FREEZE_TELEGRAM: (6.0, 9.0),
    Kind.BLOBS_GONE: (2.0, 5.0),
    Kind.DISK_FULL: (2.0, 6.0),
    Kind.MODEL_HANGS: (3.0, 9.0),
    Kind.MODEL_REFUSES: (2.0, 8.0),
    Kind.MODEL_BREAKS_OFF: (2.0, 6.0),
    Kind.PLATFORM_WAIT: (2.0, 6.0),
    Kind.PLATFORM_FAILS: (2.0, 8.0),
    Kind.PLATFORM_AWAY: (2.0, 8.0),
    Kind.PLATFORM_SILENT: (0.5, 2.0),
    Kind.KILL_MODEL: (0.5, 4.0),
}
"""How long it lasts, at least and at most; the others are a moment, and june sees to their end by itself."""
GAP_SECONDS = (0.5, 8.0)
"""From the end of one to the next."""
SELDOM = {
    Kind.KILL_JUNE: 0.5,
    Kind.RESTART_JUNE: 0.25,
    Kind.KILL_TESTS: 0.25,
    Kind.KILL_SANDBOX: 0.25,
    Kind.PLATFORM_SILENT: 0.5,
}
"""Weights of those that are not as frequent as the others, once all have come."""


class Fault(NamedTuple):
    """One fault."""

    kind: Kind
    after: float
    """Seconds since the end of the one before."""
    seconds: float
    """How long it lasts."""


def plan(seed: int, count: int, kinds: tuple[Kind, ...] = tuple(Kind)) -> list[Fault]:
    """Plan so many faults: each kind once before any comes again, as far as they go."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    chosen = chance.sample(kinds, len(kinds))
    chosen += chance.choices(kinds, [SELDOM.get(kind, 1.0) for kind in kinds], k=max(0, count - len(kinds)))
    return [
        Fault(kind, chance.uniform(*GAP_SECONDS), chance.uniform(*SECONDS.get(kind, (0.0, 0.0))))
        for kind in chosen[:count]
    ]
