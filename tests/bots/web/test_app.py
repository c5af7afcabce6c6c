"""The web page's server: what is taken, what is told; on Temporal's real server, without engines."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from activities.blobs import BlobStore
from bots.web.app import Page, _Api
from bots.web.turns import TurnView
from tests.support.page_client import MAX_BYTES, chat_of, opened, told
from tests.support.world import World

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


async def test_a_recording_is_heard_and_answered_with_sound(page: Page, world: World) -> None:
    client = await opened(page)
    taken = await client.post("/api/messages?id=message-1&seconds=1.5", content=b"sound of a kind")
    assert taken.status_code == 202
    last = (await told(client, "message-1"))[-1]
    (source,) = [request.source for request in world.asked("fetch")]
    assert source.locator.startswith(f"blob:web/{chat_of(page, client)}/")
    assert source.claimed_bytes == len(b"sound of a kind")
    assert len(last["speech"]) == 2  # type: ignore[arg-type] # a list
    assert last["reply"] == {"url": "api/audio/reply.pcm?rate=16000", "seconds": 1.0}


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
    page.stopping.set()
    assert await asyncio.wait_for(told(client, "message-1"), 2) == []


async def test_nobody_looks_at_a_turn_for_a_browser_that_left(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    async def look(chat: str, message: str, language: str | None) -> TurnView:
        looks.append(message)
        return TurnView(message=message, stage="infer")

    monkeypatch.setattr(page.turns, "_look", look)
    stream = _Api(page)._views("0" * 32, "message-1", None)
    assert await anext(stream)
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.2)
    reading.cancel()
    await asyncio.wait({reading})
    seen = len(looks)
    await asyncio.sleep(0.3)
    assert len(looks) == seen > 1


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
