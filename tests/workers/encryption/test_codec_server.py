"""The codec server speaks Temporal's protocol: with Temporal's own command line, and with those who send nonsense."""

import asyncio
import base64
import json
import os
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from temporalio.testing import WorkflowEnvironment

from tests.conftest import TEMPORAL
from tests.support.encryption import CONVERTER, KEY_RING, keys_of_tests
from workers.encryption import codec_server
from workers.encryption.codec import EncryptionCodec
from workers.encryption.codec_server import codec_routes
from workers.encryption.keys import read_ring
from workers.encryption.source import Keys
from workers.http import listen, serving

PLAIN = {"payloads": [{"metadata": {"encoding": base64.b64encode(b"json/plain").decode()}, "data": "IndvcmRzIg=="}]}
WORD = "Kaleidoscope"


def app(keys: Keys) -> Starlette:
    return Starlette(routes=codec_routes(EncryptionCodec(keys)))


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(keys_of_tests()))
    async with httpx.AsyncClient(transport=transport, base_url="http://june") as client:
        yield client


async def test_what_is_encoded_is_decoded(http: httpx.AsyncClient) -> None:
    encoded = await http.post("/codec/encode", json=PLAIN)
    assert encoded.headers["content-type"] == "application/json"
    assert encoded.headers["cache-control"] == "no-store"
    assert "IndvcmRzIg" not in encoded.text
    assert (await http.post("/codec/decode", json=encoded.json())).json() == PLAIN
    assert (await http.post("/codec/decode", json=PLAIN)).json() == PLAIN, "what is plain stays so"
    assert (await http.post("/codec/decode", json={})).json() == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b'"payloads"',
        b"\xff\xfe",
        b'{"payloads": {}}',
        b'{"payloads": [{"data": 7}]}',
        b'{"payloads": [], "other": 1}',
        b"[" * 100_000,
        b'{"payloads":' * 50_000,
    ],
    ids=range(9),
)
async def test_what_is_no_list_of_payloads_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    for path in ("/codec/encode", "/codec/decode"):
        assert (await http.post(path, content=body)).status_code == 400


async def test_too_much_is_refused(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_server, "MAX_BODY_BYTES", 1000)
    assert (await http.post("/codec/decode", content=b"x" * 1001)).status_code == 413
    assert (await http.post("/codec/decode", json=PLAIN)).status_code == 200


async def test_a_missing_key_is_said_by_its_id(http: httpx.AsyncClient) -> None:
    encoded = (await http.post("/codec/encode", json=PLAIN)).json()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app(Keys.none())), base_url="http://june") as other:
        answer = await other.post("/codec/decode", json=encoded)
    assert answer.status_code == 422
    assert read_ring(KEY_RING).active in answer.text


async def test_only_posts_are_answered(http: httpx.AsyncClient) -> None:
    assert (await http.get("/codec/decode")).status_code == 405


@pytest.mark.slow
async def test_temporals_command_line_reads_and_writes_through_it(dev_server: WorkflowEnvironment) -> None:
    asked: list[bytes] = []
    inner = app(keys_of_tests())

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(dict(scope["headers"]).get(b"authorization", b""))
        await inner(scope, receive, send)

    listener = listen("127.0.0.1", 0, str)
    address = dev_server.client.service_client.config.target_host
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}/codec"
    workflow_id = str(uuid.uuid4())

    async def temporal(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            str(TEMPORAL),
            *arguments,
            *("--address", address, "--codec-endpoint", endpoint, "--codec-auth", "Bearer pass"),
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate()
        assert process.returncode == 0, errors
        return out.decode()

    async with serving(guarded, listener):
        await temporal(
            *("workflow", "start", "--type", "Any", "--task-queue", workflow_id, "--workflow-id", workflow_id),
            *("--input", json.dumps({"said": WORD}), "--memo", f'told="{WORD}"'),
        )
        handle = dev_server.client.get_workflow_handle(workflow_id)
        stored = (await handle.fetch_history()).events[0]
        assert WORD not in str(stored), "the command line has it encoded, too"
        sealed = stored.workflow_execution_started_event_attributes.input.payloads
        assert await CONVERTER.decode(sealed) == [{"said": WORD}]
        assert WORD in await temporal("workflow", "show", "--workflow-id", workflow_id, "--detailed")
        assert WORD in await temporal("workflow", "describe", "--workflow-id", workflow_id)
    assert set(asked) == {b"Bearer pass"}
