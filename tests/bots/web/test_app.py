"""The web page's server: what is taken, what is told; on Temporal's real server, without engines."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities.blobs import BlobStore
from activities.infer import InferRequest
from bots.intake import InboundMessage
from bots.web.app import Page
from bots.web.turns import TurnView
from tests.support.page_client import MAX_BYTES, chat_of, opened, stream, told, turns
from tests.support.waiting import until
from tests.support.world import World, wait_for
from workflows.voice.contracts import Stop

# What is taken


async def test_too_much_is_refused_before_it_is_stored(page: Page) -> None:
    client = await opened(page)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            sent.append(1)
            yield bytes(10_000)

    sent: list[int] = []
    claimed = await client.post("/api/messages?id=12345678", content=bytes(MAX_BYTES + 1))
    streamed = await client.post("/api/messages?id=12345678", content=endless())
    text = await client.post("/api/messages?id=12345678", json={"text": "x" * 70_000})
    assert [claimed.status_code, streamed.status_code, text.status_code] == [413, 413, 413]
    assert len(sent) == MAX_BYTES // 10_000 + 1
    assert isinstance(page.store, BlobStore)
    assert await page.store._keys(None, None) == []


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", '{"text": "hello"}'),
        ("?id=../../../etc", '{"text": "hello"}'),
        ("?id=12345678", "{"),
        ("?id=12345678", "[]"),
        ("?id=12345678", '{"text": 1}'),
        ("?id=12345678", "[" * 60_000),
    ],
)
async def test_nonsense_is_refused(page: Page, query: str, body: str) -> None:
    client = await opened(page)
    answer = await client.post(f"/api/messages{query}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


async def test_a_text_is_answered(page: Page, world: World) -> None:
    client = await opened(page)
    for _ in range(2):  # the second is what a page does that has not heard whether the first arrived
        taken = await client.post("/api/messages?id=message-1", json={"text": "hello"})
        assert (taken.status_code, taken.json()) == (202, {"message": "message-1", "said": None})
    last = (await told(client, "message-1"))[-1]
    assert (last["done"], last["transcript"], last["error"]) == (True, "hello", None)
    assert last["answer"] == "You said hello. That is all."
    assert last["link"] == f"http://ui/namespaces/default/workflows/voice%2Fweb%2F{chat_of(page, client)}%2Fmessage-1"
    assert len(world.asked("infer")) == 1
    assert world.asked("infer")[0].signal_sentences


@pytest.mark.parametrize("kind", ["audio/webm;codecs=opus", "video/webm", "video/mp4", "application/octet-stream", ""])
async def test_a_recording_is_heard_and_answered_with_sound(page: Page, world: World, kind: str) -> None:
    client = await opened(page)
    taken = await client.post(
        "/api/messages?id=message-1&seconds=1.5", content=b"sound of a kind", headers={"Content-Type": kind}
    )
    assert taken.status_code == 202
    last = (await told(client, "message-1"))[-1]
    (source,) = [request.source for request in world.asked("fetch")]
    assert source.locator.startswith(f"blob:web/{chat_of(page, client)}/")
    assert source.claimed_bytes == len(b"sound of a kind")
    assert len(last["speech"]) == 2
    name = source.locator.rsplit("/", 1)[-1]  # the scripted fetch calls its sound so
    assert last["question"] == {"url": f"api/audio/{name}.pcm?rate=16000", "seconds": 1.0, "text": "", "end": 0}
    assert last["reply"] == {"url": "api/audio/reply.pcm?rate=16000", "seconds": 1.0, "text": "", "end": 0}


async def test_commands_are_obeyed_at_once(page: Page, world: World) -> None:
    client = await opened(page)
    said = await client.post("/api/messages?id=message-1", json={"text": "/voice always"})
    assert (said.status_code, said.json()["said"]) == (200, "I answer everything by voice.")
    german = await client.post("/api/messages?id=message-2&language=de", json={"text": "/unheard"})
    assert german.json()["said"].startswith("Diesen Befehl")
    assert (await client.post("/api/session", json={})).json()["reply_mode"] == "always"


# What is told


async def test_streams_end_when_the_server_does(page: Page, world: World) -> None:
    client = await opened(page)
    async with stream(client) as events:
        assert await anext(events) == ("turns", {"turns": []})
        page.stopping.set()
        assert [event async for event in events] == []


async def test_a_stream_is_asked_for_again_while_temporal_is_away(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> list[TurnView]:
        raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    client = await opened(page)
    monkeypatch.setattr(page.turns, "last", away)
    async with stream(client) as events:
        assert [event async for event in events] == []


async def test_a_stop_stops_what_was_said_before_it(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Stop]] = []

    async def stop(chat: str, stop: Stop) -> int:
        asked.append((chat, stop))
        return 1

    client = await opened(page)
    monkeypatch.setattr(page.turns, "stop", stop)
    answer = await client.post("/api/stop", json={"heard": "message-0", "heard_chars": 2})
    assert (answer.status_code, answer.json()) == (200, {"stopped": 1})
    await client.post("/api/stop", json={"unsent": ["message-1"]})
    chat = chat_of(page, client)
    assert asked == [(chat, Stop(message="message-0", heard_chars=2)), (chat, Stop())]
    late = await client.post("/api/messages?id=message-1", json={"text": "hello"})
    assert late.status_code == 410
    assert (await client.post("/api/messages?id=message-2", json={"text": "hello"})).status_code == 202
    overtaken = await client.post("/api/stop", json={"before": "message-2"})
    assert (overtaken.json(), len(asked)) == ({"stopped": 0}, 2)
    assert (await client.post("/api/stop", json={"before": ["message-3"]})).json() == {"stopped": 1}


@pytest.mark.parametrize(
    "body",
    [
        '{"heard": "../x"}',
        '{"heard": 1}',
        '{"heard_chars": -1}',
        '{"heard_chars": "x"}',
        '{"heard_chars": 1.5}',
        '{"unsent": "x"}',
        '{"unsent": [1]}',
        '{"unsent": ["/"]}',
    ],
)
async def test_a_stop_that_is_nonsense_is_refused(page: Page, body: str) -> None:
    answer = await (await opened(page)).post("/api/stop", content=body)
    assert answer.status_code == 400


async def test_a_message_says_that_it_interrupts(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[InboundMessage] = []

    async def receive(inbound: InboundMessage) -> None:
        received.append(inbound)

    monkeypatch.setattr(page.inbox, "receive", receive)
    client = await opened(page)
    for query in ("", "&interrupts=1", "&interrupts=1&heard=message-0&heard_chars=3", "&heard=message-0"):
        taken = await client.post(f"/api/messages?id=message-1{query}", json={"text": "hello"})
        assert taken.status_code == 202
    assert [inbound.interrupts for inbound in received] == [
        None,
        Stop(),
        Stop(message="message-0", heard_chars=3),
        None,
    ]
    for query in ("&interrupts=1&heard=%2F", "&interrupts=1&heard_chars=-3"):
        assert (await client.post(f"/api/messages?id=message-1{query}", json={"text": "hello"})).status_code == 400


async def test_a_stopped_turn_stays_with_what_was_said(page: Page, world: World) -> None:
    go_on = asyncio.Event()
    world.behaviours["infer"] = wait_for(go_on)
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    following = asyncio.create_task(told(client, "message-1"))
    await until(lambda: bool(world.asked("infer")))
    stopped = await client.post("/api/stop", json={"heard": "message-1", "heard_chars": 0})
    assert stopped.json() == {"stopped": 1}
    last = (await following)[-1]
    (again,) = await turns(client)
    for view in (last, again):
        assert (view["done"], view["stopped"], view["error"], view["notice"]) == (True, True, None, None)
        assert (view["transcript"], view["heard_chars"]) == ("hello", 0)


async def test_an_answer_stopped_after_its_end_is_marked_in_all_tabs(page: Page, world: World) -> None:
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    await told(client, "message-1")
    async with stream(client) as events:
        await anext(events)
        await client.post("/api/stop", json={"heard": "message-1", "heard_chars": 9})
        name, view = await anext(events)
    assert (name, view["done"], view["stopped"], view["heard_chars"]) == ("turn", True, True, 9)
    (again,) = await turns(client)
    assert (again["answer"], again["stopped"], again["heard_chars"]) == ("You said hello. That is all.", True, 9)


async def test_a_message_over_an_answer_ends_it_and_is_answered(page: Page, world: World) -> None:
    async def infer(request: InferRequest) -> None:
        if request.messages[-1].content == "slow":
            await wait_for(asyncio.Event())(request)

    world.behaviours["infer"] = infer
    client = await opened(page)
    await client.post("/api/messages?id=message-1", json={"text": "slow"})
    await until(lambda: bool(world.asked("infer")))
    await client.post("/api/messages?id=message-2&interrupts=1&heard=message-1&heard_chars=0", json={"text": "quick"})
    last = (await told(client, "message-2"))[-1]
    assert (last["answer"], last["stopped"]) == ("You said quick. That is all.", False)
    first = (await turns(client))[0]
    assert (first["message"], first["done"], first["stopped"]) == ("message-1", True, True)


async def test_sound_is_of_this_chat_alone(page: Page) -> None:
    client, other = await opened(page), await opened(page)
    pcm = bytes(range(100)) * 2
    stored = await page.store.put(
        "web", chat_of(page, client), pcm, mime="", seconds=0, sample_rate=22_050, ending="pcm"
    )
    url = f"/api/audio/{stored.key.rsplit('/', 1)[-1]}?rate=22050"
    mine = await client.get(url)
    assert mine.headers["content-type"] == "audio/wav"
    assert (mine.content[:4], mine.content[44:]) == (b"RIFF", pcm)
    piece = await client.get(url, headers={"Range": "bytes=44-45"})
    assert (piece.status_code, piece.content, piece.headers["content-range"]) == (206, pcm[:2], "bytes 44-45/244")
    assert (await client.get(url, headers={"Range": "bytes=900-"})).status_code == 416
    assert (await other.get(url)).status_code == 404
    for name in ("x.pcm", f"{'0' * 64}.upload", f"..%2F{chat_of(page, client)}%2F{'0' * 64}.pcm", f"{'0' * 64}.ogg"):
        assert (await client.get(f"/api/audio/{name}?rate=16000")).status_code == 404
    assert (await client.get(url.replace("22050", "1"))).status_code == 400
