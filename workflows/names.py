"""Names that histories, queries and other people's scripts hold: task queues, types, ids, search attributes, stages."""

from enum import StrEnum

from temporalio.common import SearchAttributeKey

# Task queues

WORKFLOW_QUEUE = "june"
GPU_QUEUE = "june-gpu"
CPU_QUEUE = "june-cpu"
TESTS_QUEUE = "june-tests"
SANDBOX_QUEUE = "june-sandbox"


def platform_queue(platform: str) -> str:
    """Return the queue of the only workers that hold this platform's token."""
    return f"june-{platform}"


# Priorities, of which 1 comes first

LIVE = 1
"""A turn that somebody waits for."""
BACKGROUND = 3
"""What can wait, such as a summary."""


def chat_key(platform: str, chat: str) -> str:
    """Return a chat's name across platforms: search attribute ``Chat``, and the key by which GPU time is shared."""
    return f"{platform}/{chat}"


# Workflow types, for those who start them without importing what they are made of, and their ids

CONVERSATION = "Conversation"
VOICE_MESSAGE = "VoiceMessage"
ACCESS = "Access"
TEST_RUN = "TestRun"
"""Its class has another name, as pytest would collect it."""

ACCESS_MEMO = "access"
"""Memo of the workflow Access that holds its AccessView."""
TEST_RUN_MEMO = "tests"
"""Memo of a test run that has ended: its RunReport without results, read without any worker."""
TEST_RUN_ID_PREFIX = "tests/"
CODING_TASK = "CodingTask"
CODING_MEMO = "code"
"""Memo of a coding task that has ended: its CodingReport, read without any worker."""
CODING_TOLD_MEMO = "told"
"""Memo of a coding task whose chat was told of its end: what it was told."""
CODING_ID_PREFIX = "code/"
BENCHMARK = "Benchmark"
ATTEMPT = "Attempt"
"""A child of a benchmark: one sample of one task."""
BENCHMARK_MEMO = "bench"
"""Memo of a benchmark that has ended: its BenchmarkReport, read without any worker."""
BENCHMARK_ID_PREFIX = "bench/"


def conversation_id(platform: str, chat: str, thread: str | None = None) -> str:
    """Return the id of a chat's conversation, or of the one of a thread in it."""
    return f"chat/{platform}/{chat}" + (f"/{thread}" if thread else "")


def voice_message_id(platform: str, chat: str, message: str) -> str:
    """Return the id of the workflow that answers a message; one per message, ever."""
    return f"voice/{platform}/{chat}/{message}"


def coding_prefix(platform: str, chat: str) -> str:
    """Return how the ids begin of the coding tasks that a chat has given, in whatever thread."""
    return f"{CODING_ID_PREFIX}{chat_key(platform, chat)}/"


def coding_id(platform: str, chat: str, message: str, thread: str | None = None) -> str:
    """Return the id of the coding task that a message gives; one per message, ever."""
    return coding_prefix(platform, chat) + (f"{thread}/" if thread else "") + message


def access_id(platform: str) -> str:
    """Return the id of the workflow that keeps who may talk on a platform, and how much."""
    return f"access/{platform}"


# Search attributes

PLATFORM = SearchAttributeKey.for_keyword("Platform")
CHAT = SearchAttributeKey.for_keyword("Chat")
"""``<platform>/<chat>``"""
STAGE = SearchAttributeKey.for_keyword("Stage")
LANGUAGE = SearchAttributeKey.for_keyword("Language")
ERROR = SearchAttributeKey.for_keyword("ErrorCode")
OUTCOME = SearchAttributeKey.for_keyword("Outcome")
"""Of a test run, a coding task, or a benchmark."""
MODEL = SearchAttributeKey.for_keyword("Model")
DATA_SET = SearchAttributeKey.for_keyword("DataSet")
"""Of a benchmark, and of all that it starts."""
SEARCH_ATTRIBUTES = (PLATFORM, CHAT, STAGE, LANGUAGE, ERROR, OUTCOME, MODEL, DATA_SET)
SCHEDULED_BY = SearchAttributeKey.for_keyword("TemporalScheduledById")
"""Set by the server: the schedule that started a workflow."""


class Stage(StrEnum):
    """Where a turn is. The five verbs are also the activities' names."""

    FETCH = "fetch"
    TRANSCRIBE = "transcribe"
    WAIT = "wait"
    """Transcribed, waiting for the turns before it."""
    INFER = "infer"
    SYNTHESIZE = "synthesize"
    REPLY = "reply"
    DONE = "done"
