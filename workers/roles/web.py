"""The web page's process: serves the page, takes what is said there, fetches and replies."""

import asyncio
import errno
import ipaddress

from temporalio.client import Client

from activities.blobs import BlobStore
from activities.platforms.web import WebPlatform
from bots.access import Policy
from bots.web.app import Page, build_app
from bots.web.sessions import Lock, Sessions, secret_key
from bots.web.turns import Turns
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
ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognized here, not listened on
"""Addresses that are no host's name."""


async def build(client: Client) -> WorkerSpec:
    """Open the port, so that it answers from the moment that the worker is ready, and make the page.

    Raises:
        JuneError: others could reach the page, and no password is set.
        UnavailableError: the port is taken, or the address is not this machine's.

    """
    web, storage, audio, limits = WebSettings(), StorageSettings(), AudioSettings(), LimitSettings()
    password = web.password.get_secret_value()
    if not (password or is_loopback(web.host)):
        raise JuneError(
            f"The web page would be open to everybody who reaches {web.host}: set JUNE_WEB_PASSWORD, or leave "
            f"JUNE_WEB_HOST at {LOOPBACK}."
        )

    def explain(error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            return occupied(web.port, "JUNE_WEB_PORT")
        return f"The web page cannot listen on {web.host}:{web.port} (JUNE_WEB_HOST): {error}."

    listener = listen(web.host, web.port, explain)
    blobs = BlobStore.open(storage.blobs)
    platform, stopping = WebPlatform(blobs), asyncio.Event()
    ui_url = web.ui_url or f"http://{LOOPBACK}:{EmbeddedSettings().ui_port}"
    figures = {
        "limit_bytes": audio.max_bytes,
        "limit_seconds": audio.max_seconds,
        "waiting": limits.chat_waiting,
        "per_minute": limits.chat_messages_per_minute,
    }
    page = Page(
        inbox=open_inbox(client, Policy(everyone=True), signal_sentences=True),
        store=blobs,
        turns=Turns(client, platform.recent_text, ui_url, figures),
        sessions=Sessions(await asyncio.to_thread(secret_key, storage.home / "web.key"), password),
        lock=Lock(password),
        stopping=stopping,
        max_bytes=audio.max_bytes,
        voices=PiperSettings().voices,
        hosts=() if web.host in ANY_ADDRESS else (web.host,),
        origins=web.origins,
    )

    async def serve_page() -> None:
        async with serving(build_app(page), listener, MAX_CONNECTIONS) as server:
            try:
                await asyncio.shield(server)
            finally:  # streams end first, then requests
                stopping.set()

    return WorkerSpec(
        slots=WorkerSettings().edge_slots, activities=platform_activities(platform), background=serve_page
    )


def is_loopback(host: str) -> bool:
    """Check whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
