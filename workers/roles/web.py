"""The web page's process: serves the page and Temporal's Web UI, takes what is said there, fetches and replies."""

import asyncio
import errno
import ipaddress
import socket
from contextlib import AsyncExitStack

from starlette.types import ASGIApp
from temporalio.client import Client

from activities.blobs import BlobStore
from activities.platforms.web import WebPlatform
from bots.access import Policy
from bots.web.app import Page, build_app
from bots.web.feed import Feeds
from bots.web.sessions import Lock, Sessions, secret_key
from bots.web.tasks import Tasks
from bots.web.temporal_ui import build_ui
from bots.web.turns import Turns
from workers.encryption.codec_server import codec_routes
from workers.errors import JuneError
from workers.http import listen, serving
from workers.ports import LOOPBACK, occupied
from workers.roles.platform import open_inbox, platform_activities
from workers.roles.spec import WorkerSpec
from workers.settings import (
    AudioSettings,
    EmbeddedSettings,
    LimitSettings,
    PiperSettings,
    StorageSettings,
    WebSettings,
    WorkerSettings,
)

MAX_CONNECTIONS = 500
CODEC = "/codec"
"""Path below which Temporal's Web UI and command line have payloads decrypted."""
ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognized here, not listened on
"""Addresses that are no host's name."""


async def build(client: Client) -> WorkerSpec:
    """Open the port, so that it answers from the moment that the worker is ready, and make the page.

    Raises:
        JuneError: others could reach the page, and no password is set.
        UnavailableError: the port is taken, or the address is not this machine's.

    """
    web, storage, audio, limits = WebSettings(), StorageSettings(), AudioSettings(), LimitSettings()
    ports = EmbeddedSettings()
    password = web.password.get_secret_value()
    listener = _listen("The web page", web.host, web.port, ("JUNE_WEB_HOST", "JUNE_WEB_PORT"), password)
    blobs = BlobStore.open(storage.blobs)
    platform, stopping = WebPlatform(blobs), asyncio.Event()
    ui_url = web.ui_url or f"http://localhost:{ports.ui_port}"
    figures = {
        "limit_bytes": audio.max_bytes,
        "limit_seconds": audio.max_seconds,
        "waiting": limits.chat_waiting,
        "per_minute": limits.chat_messages_per_minute,
    }
    turns = Turns(client, platform.recent_text, ui_url, figures)
    page = Page(
        inbox=open_inbox(client, Policy(everyone=True), signal_sentences=True),
        store=blobs,
        turns=turns,
        feeds=Feeds(turns, Tasks(client, turns.link)),
        sessions=Sessions(await asyncio.to_thread(secret_key, storage.home / "web.key"), password),
        lock=Lock(password),
        stopping=stopping,
        max_bytes=audio.max_bytes,
        voices=PiperSettings().voices,
        hosts=_names(web.host),
        origins=web.origins,
    )
    apps: list[tuple[ASGIApp, socket.socket]] = [(build_app(page), listener)]
    if web.ui_server:
        settings = ("JUNE_EMBEDDED_UI_HOST", "JUNE_EMBEDDED_UI_PORT")
        codec = client.data_converter.payload_codec
        ui = build_ui(
            web.ui_server,
            page.sessions,
            page.lock,
            hosts=_names(ports.ui_host),
            origins=web.origins,
            codec=CODEC if codec else "",
            routes=codec_routes(codec, CODEC) if codec else (),
        )
        apps.append((ui, _listen("Temporal's Web UI", ports.ui_host, ports.ui_port, settings, password)))

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(serving(app, on, MAX_CONNECTIONS)) for app, on in apps]
            stack.callback(stopping.set)  # streams end first, then requests
            await asyncio.gather(*map(asyncio.shield, servers))

    return WorkerSpec(slots=WorkerSettings().edge_slots, activities=platform_activities(platform), background=serve)


def _listen(what: str, host: str, port: int, settings: tuple[str, str], password: str) -> socket.socket:
    """Listen for browsers: of this machine, or of others that know a password.

    Raises:
        JuneError: others could reach it, and no password is set.
        UnavailableError: the port is taken, or the address is not this machine's.

    """
    if not (password or is_loopback(host)):
        raise JuneError(
            f"{what} would be open to everybody who reaches {host}: set JUNE_WEB_PASSWORD, or leave "
            f"{settings[0]} at {LOOPBACK}."
        )

    def explain(error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            return occupied(port, settings[1])
        return f"{what} cannot listen on {host}:{port} ({settings[0]}): {error}."

    return listen(host, port, explain)


def _names(host: str) -> tuple[str, ...]:
    """Return by which name requests may come, beside loopback's."""
    return () if host in ANY_ADDRESS else (host,)


def is_loopback(host: str) -> bool:
    """Check whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
