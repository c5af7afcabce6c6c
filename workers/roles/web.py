"""The web page's process: serves the page, takes what is said there, fetches and replies."""

import asyncio
import ipaddress
import socket
from pathlib import Path

from starlette.types import ASGIApp
from temporalio.client import Client

from activities.blobs import BlobStore
from activities.platforms.web import WebPlatform
from bots.access import Policy
from bots.web.app import Page, build_app
from bots.web.sessions import Lock, Sessions, secret_key
from bots.web.turns import Turns
from workers.errors import JuneError, UnavailableError
from workers.http import serving
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

BACKLOG = 128
MOST_CONNECTIONS = 500
EVERYBODY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognized here, not listened on
"""Addresses that are no host's name."""


async def build(client: Client) -> WorkerSpec:
    """Open the port, so that it answers from the moment that the worker is ready, and make the page.

    Raises:
        JuneError: others could reach the page, and no password is set.
        UnavailableError: the port is taken, or the address is not this machine's.

    """
    web, storage = WebSettings(), StorageSettings()
    password = web.password.get_secret_value()
    if not (password or is_loopback(web.host)):
        raise JuneError(
            f"The web page would be open to everybody who reaches {web.host}: set JUNE_WEB_PASSWORD, or leave "
            f"JUNE_WEB_HOST at {LOOPBACK}."
        )
    blobs = BlobStore.open(storage.blobs)
    platform, stopping = WebPlatform(blobs), asyncio.Event()
    page = Page(
        inbox=open_inbox(client, Policy(everyone=True), signal_sentences=True),
        store=blobs,
        turns=Turns(client, platform.recent_text, _ui_url(web), _figures()),
        sessions=Sessions(await asyncio.to_thread(secret_key, Path(storage.home) / "web.key"), password),
        lock=Lock(password),
        stopping=stopping,
        max_bytes=AudioSettings().max_bytes,
        voices=PiperSettings().voices,
        hosts=() if web.host in EVERYBODY else (web.host,),
        origins=web.origins,
    )
    app, listener = build_app(page), listen(web.host, web.port)
    return WorkerSpec(
        slots=WorkerSettings().edge_slots,
        activities=platform_activities(platform),
        background=lambda: _serve(app, listener, stopping),
    )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Open the port.

    Raises:
        UnavailableError: it is taken, or the address is not this machine's.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.strerror is None or "in use" not in error.strerror.lower():
            raise UnavailableError(f"The web page cannot listen on {host}:{port} (JUNE_WEB_HOST): {error}.") from error
        raise UnavailableError(occupied(port, "JUNE_WEB_PORT")) from error


async def _serve(app: ASGIApp, listener: socket.socket, stopping: asyncio.Event) -> None:
    """Serve until cancelled; then end streams, finish requests, close."""
    async with serving(app, listener, MOST_CONNECTIONS) as server:
        try:
            await asyncio.shield(server)
            raise RuntimeError("the web server has ended by itself")
        finally:
            stopping.set()


def _ui_url(web: WebSettings) -> str:
    return web.ui_url or f"http://{LOOPBACK}:{EmbeddedSettings().ui_port}"


def _figures() -> dict[str, float | int]:
    audio, limits = AudioSettings(), LimitSettings()
    return {
        "limit_bytes": audio.max_bytes,
        "limit_seconds": audio.max_seconds,
        "waiting": limits.chat_waiting,
        "per_minute": limits.chat_messages_per_minute,
    }
