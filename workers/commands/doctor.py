"""``june doctor``: checks of this machine, the server and the workers, with advice."""

import asyncio
import json
import shutil
import sys
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from temporalio.client import Client
from temporalio.service import RPCError

from workers.clients.pollers import living_pollers
from workers.errors import UnavailableError
from workers.local.instance import running
from workers.local.programs import configured_bots
from workers.models.catalogue import ModelError, models, verify
from workers.ports import LOOPBACK, is_free, occupied
from workers.roles.role import OPTIONAL, Role
from workers.settings import (
    EmbeddedSettings,
    LlmSettings,
    PiperSettings,
    StorageSettings,
    TelemetrySettings,
    WebSettings,
    WhisperSettings,
)
from workers.temporal import connect, missing_search_attributes

FREE_BYTES = 3_000_000_000
"""For models, logs, audio and histories of some weeks."""
TIMEOUT_SECONDS = 5.0
PYTHONS = ((3, 11), (3, 15))


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    check: str
    ok: bool
    found: str
    advice: str = ""
    """What to do; empty when nothing is wrong."""


def check_python() -> Finding:
    """Check the interpreter's version."""
    lowest, above = PYTHONS
    ok = lowest <= sys.version_info[:2] < above
    return Finding("python", ok, sys.version.split()[0], "" if ok else "Use Python 3.11 to 3.14.")


def check_disk(home: Path) -> Finding:
    """Check the space where june keeps its files."""
    existing = next(folder for folder in (home, *home.resolve().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    advice = (
        "" if free >= FREE_BYTES else f"Free some space, or set JUNE_HOME to a folder with {FREE_BYTES // 10**9} GB."
    )
    return Finding("disk", not advice, f"{free / 1e9:.1f} GB free in {home}", advice)


def check_codecs() -> Finding:
    """Encode and decode a second of silence as a voice note."""
    from activities.audio.codec import SAMPLE_RATE, decode, encode_ogg_opus, seconds_of

    advice = "Install PyAV again (`pip install --force-reinstall av`): its FFmpeg lacks libopus."
    try:
        note = encode_ogg_opus(bytes(2 * SAMPLE_RATE), SAMPLE_RATE, 32_000)
        seconds = seconds_of(decode(note, max_seconds=5))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the codecs is the finding
        return Finding("codecs", ok=False, found=f"{type(error).__name__}: {error}", advice=advice)
    return Finding("codecs", ok=seconds > 0.9, found=f"Opus in Ogg, {seconds:.1f} s there and back")


def check_models(storage: StorageSettings) -> list[Finding]:
    """Check each configured model: present and unchanged (hashed once, then by size and time)."""
    llm = LlmSettings()
    names = [WhisperSettings().model, *PiperSettings().voices, *([] if llm.base_url else [llm.model])]
    findings = []
    for name in names:
        known, check = models().get(name), f"model {name}"
        if known is None:
            found = "a path" if Path(name).expanduser().exists() else "not in the registry: the hub is asked"
            findings.append(Finding(check, ok=True, found=found))
            continue
        try:
            verify(known, storage.models)
        except ModelError as error:
            findings.append(Finding(check, ok=False, found=error.code.value, advice=str(error)))
        else:
            found = f"verified, {known.bytes / 1e6:.0f} MB, {known.licence}"
            findings.append(Finding(check, ok=True, found=found))
    return findings


def check_ports(home: Path, ports: EmbeddedSettings) -> Finding:
    """Check that the embedded stack's ports are free, unless it holds them."""
    if running(home):
        return Finding("ports", ok=True, found="june is running and holds its ports")
    wanted = {
        "JUNE_EMBEDDED_TEMPORAL_PORT": ports.temporal_port,
        "JUNE_EMBEDDED_UI_PORT": ports.ui_port,
        "JUNE_EMBEDDED_LLM_PORT": ports.llm_port,
        "JUNE_EMBEDDED_WORKER_PORT_BASE": ports.worker_port_base,
        "JUNE_WEB_PORT": WebSettings().port,
    }
    taken = [occupied(port, setting) for setting, port in wanted.items() if not is_free(port)]
    found = f"{len(wanted) - len(taken)} of {len(wanted)} free"
    return Finding("ports", ok=not taken, found=found, advice=" ".join(taken))


async def check_server() -> list[Finding]:
    """Check that a Temporal server answers, knows june's search attributes, and that workers poll each queue."""
    try:
        client = await connect(TelemetrySettings(metrics_address="", otlp_url=""))
    except UnavailableError as error:
        return [Finding("temporal", ok=False, found="no answer", advice=str(error))]
    server = f"{client.service_client.config.target_host}, namespace {client.namespace}"
    try:
        queues = [await check_queue(client, role) for role in expected_roles()]
        missing = sorted(await missing_search_attributes(client))
    except RPCError as error:
        advice = "Check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the credentials."
        return [Finding("temporal", ok=False, found=f"{server}: {error.message}", advice=advice)]
    found = f"missing: {', '.join(missing)}" if missing else "all there"
    advice = "Start a workflows worker, it adds them: `june worker workflows`." if missing else ""
    attributes = Finding("search attributes", not missing, found, advice)
    return [Finding("temporal", ok=True, found=server), attributes, *queues]


def expected_roles() -> list[Role]:
    """Return the workers that should run: bots whose token is set; page and tests where `june up` runs them."""
    state = running(StorageSettings().home)
    here = {role for role in Role if state and role.program in state.ports}
    bots = [role for role in configured_bots() if role is not Role.WEB or role in here]
    return [role for role in Role if role in bots or role in here or role not in OPTIONAL]


async def check_queue(client: Client, role: Role) -> Finding:
    """Check that a worker of this role polls its queue."""
    alive = len(await living_pollers(client, role.queue))
    advice = "" if alive else f"Start it: `june up` for everything, `june {role.verb} {role.value}` for this one."
    return Finding(f"queue {role.queue}", alive > 0, f"{alive} pollers", advice)


async def check_model_server(llm: LlmSettings, ports: EmbeddedSettings) -> Finding:
    """Request the model server's list of models; of the embedded one, whose key only its run knows, its health."""
    embedded = f"http://{LOOPBACK}:{ports.llm_port}/health"
    url = llm.base_url.rstrip("/") + "/models" if llm.base_url else embedded
    headers = {"Authorization": f"Bearer {llm.api_key.get_secret_value()}"} if llm.api_key.get_secret_value() else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the operator's own setting
    try:
        (await asyncio.to_thread(urllib.request.urlopen, request, timeout=TIMEOUT_SECONDS)).close()
    except (OSError, ValueError) as error:
        advice = (
            "Check JUNE_LLM_BASE_URL."
            if llm.base_url
            else "Start june: `june up`; then look into logs/model-server.log."
        )
        return Finding("model server", ok=False, found=f"{url}: {error}", advice=advice)
    return Finding("model server", ok=True, found=url)


async def examine() -> list[Finding]:
    """Run all checks, by the settings of the environment."""
    storage, ports = StorageSettings(), EmbeddedSettings()
    local = [check_python(), check_disk(storage.home), check_codecs(), *check_models(storage)]
    local.append(check_ports(storage.home, ports))
    return [*local, *await check_server(), await check_model_server(LlmSettings(), ports)]


def print_findings(findings: list[Finding], *, as_json: bool) -> None:
    """Print for people, or one JSON object."""
    if as_json:
        report = {"ok": all(finding.ok for finding in findings), "checks": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(report) + "\n")
        return
    table = Table("", "check", "found", "what to do", box=None)
    for finding in findings:
        mark = "[green]ok[/green]" if finding.ok else "[red]no[/red]"
        table.add_row(mark, finding.check, escape(finding.found), escape(finding.advice))
    Console(highlight=False).print(table)
