"""The kinds of worker processes, and their queues; light, for those that only need to know the names."""

from enum import StrEnum

from workflows.contracts import CPU_QUEUE, GPU_QUEUE, WORKFLOW_QUEUE, edge_queue


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

    @property
    def queue(self) -> str:
        """Name its task queue."""
        return QUEUES[self]


QUEUES = {
    Kind.WORKFLOWS: WORKFLOW_QUEUE,
    Kind.GPU: GPU_QUEUE,
    Kind.CPU: CPU_QUEUE,
    Kind.FILE: edge_queue("file"),
}
