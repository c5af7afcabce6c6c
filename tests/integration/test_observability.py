"""What operators see of june: Web UI, search, readiness, metrics that move, and a turn's trace."""

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.integration.chat import OwnChat
from tests.integration.june import HTTP_SECONDS, June
from tests.integration.page import page_password
from tests.support.chat import PLATFORM
from tests.support.trace_collector import Collector
from tests.support.waiting import until
from workers.commands.doctor import check_server
from workers.local.session import QUESTION
from workflows.names import voice_message_id
from workflows.voice.contracts import VoiceMessageRequest

STAGES = ("fetch", "transcribe", "infer", "synthesize", "reply")
STAGE_COUNT = re.compile(r'june_stage_seconds_count\{[^}]*stage="(\w+)"[^}]*\} (\d+)')
TRACE_SECONDS = 60.0
"""Processes export every five seconds, and later after they have tried in vain."""


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who reads what is served."""
    async with httpx.AsyncClient(timeout=HTTP_SECONDS) as client:
        yield client


async def test_workers_poll_every_queue() -> None:
    async with asyncio.timeout(HTTP_SECONDS):
        assert [finding for finding in await check_server() if not finding.ok] == []


async def test_a_turn_is_found_and_shown(june: June, chat: OwnChat, http: httpx.AsyncClient) -> None:
    message = await chat.say("Say hello.")
    await chat.answer(message)
    query = f"Chat = '{PLATFORM}/{chat.name}' AND WorkflowType = 'VoiceMessage' AND Stage = 'done'"

    async def found() -> bool:
        return (await june.client.count_workflows(query)).count == 1

    await until(found)
    workflow = quote(voice_message_id(PLATFORM, chat.name, message), safe="")
    link = f"{june.ui_url}/namespaces/{june.client.namespace}/workflows/{workflow}"
    shown = await http.get(link)
    if shown.status_code == httpx.codes.UNAUTHORIZED:  # june's own, which asks for the page's password
        given = {"password": page_password(june)}
        shown = await http.post(link, data=given, headers={"Origin": june.ui_url}, follow_redirects=True)
    assert shown.is_success, f"the Web UI at {june.ui_url}: set JUNE_INTEGRATION_UI_URL if it is elsewhere"


async def test_every_process_is_ready(june: June) -> None:
    if not june.ready_urls:
        pytest.skip("nobody has said where june's workers tell their readiness: set JUNE_INTEGRATION_READY_URLS")
    assert await june.not_ready() == []


async def test_stages_are_counted(june: June, chat: OwnChat, http: httpx.AsyncClient) -> None:
    if not june.metrics_urls:
        pytest.skip("nobody has said where june's metrics are: set JUNE_INTEGRATION_METRICS_URLS")
    before = await counted(http, june.metrics_urls)
    await chat.answer(await chat.send(QUESTION.read_bytes()))

    async def moved() -> bool:
        now = await counted(http, june.metrics_urls)
        return all(now[stage] > before[stage] for stage in STAGES)

    await until(moved, HTTP_SECONDS)


async def counted(http: httpx.AsyncClient, urls: tuple[str, ...]) -> Counter[str]:
    """Sum up over all workers how often each stage ran."""
    count = Counter[str]()
    for url in urls:
        answer = await http.get(url)
        assert answer.is_success, url
        for stage, times in STAGE_COUNT.findall(answer.text):
            count[stage] += int(times)
    return count


@pytest.fixture
def collector(june: June) -> Iterator[Collector]:
    """Be the collector that june sends its traces to."""
    url = urlsplit(june.settings.otlp_url)
    if not url.hostname or not url.port:
        pytest.skip(
            "no traces are looked for: set JUNE_INTEGRATION_OTLP_URL to june's JUNE_OTLP_URL, with a port of this "
            "machine on which no collector listens"
        )
    with closing(Collector(url.hostname, url.port)) as here:
        yield here


async def test_a_turn_is_one_trace(chat: OwnChat, collector: Collector) -> None:
    trace = secrets.token_hex(16)
    message = VoiceMessageRequest(
        platform=PLATFORM,
        chat=chat.name,
        message="1",
        text="Say hello.",
        trace={"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"},
    )
    await chat.answer(await chat.accepted(message))
    expected = {("june-worker-gpu", "RunActivity:infer"), ("june-worker-file", "RunActivity:reply")}

    async def arrived() -> bool:
        return expected <= collector.spans(trace)

    await until(arrived, TRACE_SECONDS)
