"""The roles of worker processes, and all that is fixed about each; imports no role."""

from dataclasses import dataclass
from enum import StrEnum

from workflows.names import CPU_QUEUE, GPU_QUEUE, SANDBOX_QUEUE, TESTS_QUEUE, WORKFLOW_QUEUE, platform_queue


class Role(StrEnum):
    """What a worker process does. Its module ``workers.roles.<role>`` builds what it serves."""

    WORKFLOWS = "workflows"
    """Workflows, and deleting what is to be forgotten or too old."""
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
    SANDBOX = "sandbox"
    """The coding agent's commands, each in a sandbox."""
    TESTS = "tests"
    """The integration tests, each module in a process of its own."""

    @property
    def queue(self) -> str:
        """Its task queue."""
        return FACTS[self].queue

    @property
    def is_bot(self) -> bool:
        """Whether it receives messages as well; it holds its platform's token, and no other process does."""
        return FACTS[self].is_bot

    @property
    def optional(self) -> bool:
        """Whether a conversation by ``june talk`` does without it."""
        return self.is_bot or self in {Role.SANDBOX, Role.TESTS}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret settings that it needs; the tests worker gets those that ``JUNE_TESTS_SECRETS`` names instead."""
        return FACTS[self].secrets

    @property
    def niceness(self) -> int:
        """Added to the process's own niceness: the answer waits for the model, so that all else gives way to it."""
        return FACTS[self].niceness

    @property
    def verb(self) -> str:
        """The ``june`` command that runs it."""
        return "bot" if self.is_bot else "worker"

    @property
    def program(self) -> str:
        """The name of its process: ``worker-gpu``, ``bot-web``."""
        return f"{self.verb}-{self.value}"


@dataclass(frozen=True)
class Facts:
    """What is fixed about a role."""

    queue: str
    is_bot: bool = False
    secrets: tuple[str, ...] = ()
    niceness: int = 5


FACTS = {
    Role.WORKFLOWS: Facts(WORKFLOW_QUEUE),
    Role.GPU: Facts(GPU_QUEUE, secrets=("JUNE_LLM_API_KEY", "JUNE_CODE_API_KEY")),
    # Speech is ahead of its need.
    Role.CPU: Facts(CPU_QUEUE, niceness=15),
    Role.FILE: Facts(platform_queue("file")),
    Role.TELEGRAM: Facts(
        platform_queue("telegram"), is_bot=True, secrets=("JUNE_TELEGRAM_TOKEN", "JUNE_TELEGRAM_WEBHOOK_SECRET")
    ),
    Role.DISCORD: Facts(platform_queue("discord"), is_bot=True, secrets=("JUNE_DISCORD_TOKEN",)),
    Role.WEB: Facts(platform_queue("web"), is_bot=True, secrets=("JUNE_WEB_PASSWORD",)),
    # Voice goes first.
    Role.SANDBOX: Facts(SANDBOX_QUEUE, niceness=15),
    Role.TESTS: Facts(TESTS_QUEUE),
}

BOTS = tuple(role for role in Role if role.is_bot)
OPTIONAL = tuple(role for role in Role if role.optional)
