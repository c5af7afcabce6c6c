"""The payloads within protobuf messages."""

from collections.abc import Iterator

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload


def payloads_of(message: Message) -> Iterator[Payload]:
    """Find all payloads in an event, however deep."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if not field.is_repeated:
            parts = [value]
        elif field.message_type.GetOptions().map_entry:
            parts = list(value.values())
        else:
            parts = list(value)
        for part in parts:
            if isinstance(part, Message):
                yield from payloads_of(part)
