"""What goes through the pipe arrives as it was sent."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from activities.audio.decoder_protocol import LENGTHS, send

HEADS = st.dictionaries(st.text(max_size=20), st.floats(allow_nan=False) | st.text(max_size=20), max_size=5)


@given(st.lists(st.tuples(HEADS, st.binary(max_size=500)), max_size=5))
def test_messages_follow_each_other(messages: list[tuple[dict[str, float | str], bytes]]) -> None:
    pipe = io.BytesIO()
    for head, data in messages:
        send(pipe, head, data)
    pipe.seek(0)
    for head, data in messages:
        head_length, length = LENGTHS.unpack(pipe.read(LENGTHS.size))
        assert json.loads(pipe.read(head_length)) == head
        assert pipe.read(length) == data
    assert pipe.read() == b""
