"""The kinds of worker processes, and their queues; light, for those that only need to know the names."""

from enum import StrEnum

from workflows.contracts import CPU_QUEUE, GPU_QUEUE, TESTS_QUEUE, WORKFLOW_QUEUE, edge_queue


class Kind(StrEnum):
    """A kind of worker process."""

    WORKFLOWS = "workflows"
    """Workflows, and forgetting."""
    GPU = "gpu"
    """Transcription and inference."""
    CPU = "cpu"
    """Speech synthesis."""
    FILE = "file"
    """Fetch and reply of platform ``file``."""
    TELEGRAM = "telegram"
    """The Telegram bot: messages in, and fetch and reply."""
    DISCORD = "discord"
    """The Discord bot."""
    WEB = "web"
    """The web page."""
    TESTS = "tests"
    """The integration tests, each module in a process of its own."""

    @property
    def queue(self) -> str:
        """Name its task queue."""
        return QUEUES[self]

    @property
    def program(self) -> str:
        """Name its process: ``worker-gpu``, ``bot-web``."""
        return f"{self.verb}-{self.value}"

    @property
    def verb(self) -> str:
        """Name the ``june`` command that runs it."""
        return "bot" if self in BOTS else "worker"


QUEUES = {
    Kind.WORKFLOWS: WORKFLOW_QUEUE,
    Kind.GPU: GPU_QUEUE,
    Kind.CPU: CPU_QUEUE,
    Kind.FILE: edge_queue("file"),
    Kind.TELEGRAM: edge_queue("telegram"),
    Kind.DISCORD: edge_queue("discord"),
    Kind.WEB: edge_queue("web"),
    Kind.TESTS: TESTS_QUEUE,
}

BOTS = (Kind.TELEGRAM, Kind.DISCORD, Kind.WEB)
"""Kinds that bring messages in as well; each holds its platform's token, and no other process does."""
OPTIONAL = (*BOTS, Kind.TESTS)
"""Kinds that a conversation by ``june talk`` does without."""
