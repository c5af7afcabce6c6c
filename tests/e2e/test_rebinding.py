"""Other sites in a browser on this machine read nothing of june, and change nothing: each port that june listens on.

The ports are those of the processes that run, whatever they are for.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import psutil
import pytest
from playwright.async_api import Browser, Error, Page
from temporalio.api.workflowservice.v1 import ListBatchOperationsRequest
from temporalio.client import WorkflowExecutionStatus

from bots.intake import accept
from tests.support.chat import PLATFORM, Chat
from tests.support.chromium import chromium, needs_chromium
from tests.support.foreign_site import REBOUND, RULES, foreign_site
from tests.support.waiting import until
from workers.local.free_ports import own_ports, own_web
from workers.local.stack import Embedded
from workers.ports import LOOPBACK, REFUSED_BY_BROWSERS, hold_refused_port, listening
from workers.roles.role import Role
from workers.settings import StorageSettings, WorkerSettings
from workflows.names import conversation_id
from workflows.voice.contracts import VoiceMessageRequest

pytestmark = [pytest.mark.e2e, needs_chromium]

WORD = "rhododendron"
"""Said in the conversation."""
API = "/api/v1/namespaces/default"
MISDIRECTED = 421
TIMEOUT_MS = 60_000
EMPTY = "ERR_HTTP_RESPONSE_CODE_FAILURE"
"""Chromium's name for an error without a text, which another path need not have."""
PUBLISHED = "/openapi.yaml"
"""Of Temporal's HTTP API: the same wherever it runs, and read by anybody from its repository."""
PATHS = (
    *("/", "/metrics", "/health", "/livez", "/readyz", "/v1/models", "/props", "/slots", PUBLISHED),
    *("/api/v1/settings", "/api/v1/namespaces", "/api/v1/cluster-info", "/api/session", "/api/events"),
    *(f"{API}/workflows", f"{API}/workflow-count", "/namespaces/default/workflows", "/codec/decode"),
)
READ = """async paths => Promise.all(paths.map(async path => {
    try {
        const answer = await fetch(path, { signal: AbortSignal.timeout(5000) });
        return [path, answer.status, await answer.text()];
    } catch { return [path, 0, ""]; }
}))"""
POST = """async ([base, bodies]) => Promise.all(Object.entries(bodies).flatMap(([path, body]) => {
    const token = document.cookie.match(/_csrf=(\\w+)/)?.[1];
    const kinds = [{ mode: "no-cors", headers: { "Content-Type": "text/plain" } }];
    kinds.push({ headers: { "Content-Type": "application/json", "X-CSRF-Token": token ?? "none" } });
    return kinds.map(kind => fetch(base + path, { method: "POST", body, signal: AbortSignal.timeout(5000), ...kind })
        .then(answer => answer.status, () => 0));
}))"""


TRY = """async there => {
    const trying = [fetch(`http://${there}/`, { method: "POST", mode: "no-cors", body: "x" })];
    for (const [tag, source] of [["img", "src"], ["script", "src"], ["iframe", "src"], ["video", "src"]])
        trying.push(new Promise(done => {
            const element = document.createElement(tag);
            element.onload = element.onerror = done;
            element[source] = `http://${there}/`;
            document.body.append(element);
        }));
    trying.push(new Promise(done => {
        try { new WebSocket(`ws://${there}/`).onerror = done; } catch { done(); }
    }));
    navigator.sendBeacon(`http://${there}/`, "x");
    await Promise.allSettled(trying);
}"""
"""Ways to reach a server from a page; returns when each has come to its end."""


@dataclass(frozen=True)
class Planted:
    """A stack with a conversation in it that goes on."""

    stack: Embedded
    chat: Chat

    @property
    def id(self) -> str:
        return conversation_id(PLATFORM, self.chat.name)

    def ports(self) -> Iterator[tuple[str, int]]:
        """Find what the stack's processes listen on, each with the process's name."""
        for name, pid in self.stack.pids.items():
            for process in (pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))):
                yield from ((name, port) for port in listening(process))

    async def untouched(self) -> None:
        """See that nobody ended the conversation, at once or by a batch."""
        client = self.stack.client
        described = await self.chat.conversation.describe()
        assert described.status is WorkflowExecutionStatus.RUNNING
        batches = await client.workflow_service.list_batch_operations(
            ListBatchOperationsRequest(namespace=client.namespace)
        )
        assert not batches.operation_info


@pytest.fixture(scope="module")
async def planted(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Planted]:
    """Everything that `june up` runs, but for engines that do nothing."""
    storage = StorageSettings(home=tmp_path_factory.mktemp("home"))
    work = WorkerSettings(engines="none")
    async with Embedded(storage, own_ports(), work=work, web=own_web(), optional=[Role.WEB, Role.TESTS]) as stack:
        chat = Chat(stack)
        await chat.open()
        request = VoiceMessageRequest(platform=PLATFORM, chat=chat.name, message="1", text=f"Say {WORD}.")
        await accept(stack.client, request)
        await chat.result("1")
        yield Planted(stack, chat)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser whose user visits another site."""
    async with chromium(RULES) as browser:
        yield browser


def attacks(workflow: str) -> dict[str, str]:
    """Return what ends a conversation, by path."""
    terminate = {"workflowExecution": {"workflowId": workflow}, "reason": "r"}
    batch = {
        "jobId": "job",
        "reason": "r",
        "visibilityQuery": "WorkflowType='Conversation'",
        "terminationOperation": {"identity": "i"},
    }
    signal = {"workflowExecution": {"workflowId": workflow}, "signalName": "cancel"}
    one = f"{API}/workflows/{quote(workflow, safe='')}"
    return {
        f"{API}/batch-operations": json.dumps(batch),
        f"{API}/batch-operations/job2": json.dumps(batch | {"jobId": "job2"}),
        f"{one}/terminate": json.dumps(terminate),
        f"{one}/cancel": json.dumps(terminate),
        f"{one}/signal/cancel": json.dumps(signal),
    }


@asynccontextmanager
async def rebound(browser: Browser, port: int) -> AsyncIterator[Page | None]:
    """Visit a port by a name that was rebound; there is no page where the browser shows nothing of it."""
    for path in PATHS:
        page = await browser.new_page()
        try:
            await page.goto(f"http://{REBOUND}:{port}{path}", wait_until="commit")
        except Error as error:
            await page.close()
            if EMPTY not in error.message:
                break
        else:
            yield page
            await page.close()
            return
    yield None


async def test_a_rebound_name_reads_nothing(planted: Planted, browser: Browser) -> None:
    ports = {port: name for name, port in planted.ports()}
    assert len(ports) > len(planted.stack.pids)
    told, refused = [], set()
    for port, name in ports.items():
        async with rebound(browser, port) as page:
            answers = await page.evaluate(READ, PATHS) if page else []
        for path, status, text in answers:
            assert WORD not in text, (name, port, path)
            assert planted.id not in text, (name, port, path)
            refused |= {port} if status == MISDIRECTED else set()
            told += [(name, port, path, text[:60])] if 200 <= status < 300 and text and path != PUBLISHED else []
    assert {urlsplit(planted.stack.web_url).port, urlsplit(planted.stack.ui_url).port} <= refused, "the name leads here"
    assert not told, "\n".join(map(str, told))


async def test_another_site_changes_nothing(planted: Planted, browser: Browser) -> None:
    bodies = attacks(planted.id)
    async with foreign_site() as site:
        page = await browser.new_page()
        await page.goto(site)
        for _, port in planted.ports():
            for host in ("127.0.0.1", "localhost"):
                await page.evaluate(POST, [f"http://{host}:{port}", bodies])
        await page.close()
    for _, port in planted.ports():
        async with rebound(browser, port) as own:
            if own:
                await own.evaluate(POST, ["", bodies])
    await planted.untouched()


async def test_the_browser_connects_to_no_refused_port(browser: Browser) -> None:
    held, connections = hold_refused_port(), []
    assert held
    port, mark = held
    with mark:
        server = await asyncio.start_server(lambda *ends: connections.append(ends), LOOPBACK, port)
        async with server, foreign_site() as site:
            page = await browser.new_page()
            await page.goto(site)
            await page.evaluate(TRY, f"{LOOPBACK}:{port}")
            for refused in REFUSED_BY_BROWSERS:
                with pytest.raises(Error, match="ERR_UNSAFE_PORT"):
                    await page.goto(f"http://{REBOUND}:{refused}/")
            await page.close()
    assert connections == []


async def test_a_person_at_june_s_own_address_sees_it_all_and_ends_it(planted: Planted, browser: Browser) -> None:
    chat = Chat(planted.stack)
    await chat.open()
    page = await browser.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    await page.goto(f"{planted.stack.ui_url}/namespaces/default/workflows", wait_until="commit")
    await page.get_by_role("link", name=conversation_id(PLATFORM, chat.name)).first.click()
    await page.get_by_role("button", name="More Actions").click()
    await page.get_by_role("menuitem", name="Terminate").click()
    await page.get_by_role("dialog").get_by_role("button", name="Terminate").click()

    async def ended() -> bool:
        return (await chat.conversation.describe()).status is WorkflowExecutionStatus.TERMINATED

    await until(ended)
    await page.close()
