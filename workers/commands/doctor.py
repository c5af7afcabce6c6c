"""``june doctor``: checks of this machine, the server and the workers, with advice."""

import json
import os
import shutil
import sqlite3
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.request import getproxies_environment

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from temporalio.client import Client
from temporalio.service import RPCError

from workers.clients.pollers import living_pollers
from workers.encryption.keys import KeyRingError
from workers.encryption.source import configured_keys
from workers.errors import HomeFault, JuneError, UnavailableError
from workers.local.database import Database
from workers.local.home import DATABASE, explain_os_error, find_database_fault, find_fault, keep_private
from workers.local.instance import is_held, running
from workers.local.programs import MODEL_SERVER, TEMPORAL, configured_bots
from workers.models.catalogue import ModelError, entry, pulled_voices, verify
from workers.network import is_loopback, proxy_for
from workers.ports import LOOPBACK, REFUSED_BY_BROWSERS, is_free, listening, occupied
from workers.roles.role import OPTIONAL, Role
from workers.settings import (
    EmbeddedSettings,
    EncryptionSettings,
    LlmSettings,
    PiperSettings,
    SandboxSettings,
    StorageSettings,
    TelegramSettings,
    TelemetrySettings,
    WebSettings,
    WhisperSettings,
)
from workers.temporal import connect, missing_search_attributes

FREE_BYTES = 3_000_000_000
"""For models, logs, audio and histories of some weeks."""
TIMEOUT_SECONDS = 5.0
NAMED = 5
"""Files that are named; of more, the number."""
PROXIED_SCHEMES = ("http", "https", "all")
PROXY_KINDS = ("http", "https", "socks5", "socks5h")
"""What httpx, which asks the model server and Telegram, can use."""
OTHER_SITE = "site.invalid"
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


def check_home(home: Path) -> Finding:
    """Check that june can keep its files in the home, and that what is there can be read."""
    if not home.exists():
        return Finding("home", ok=True, found=f"{home} is made at the first start")
    database, held = home / DATABASE, is_held(home)
    fault = find_fault(home)
    if fault is None and held and running(home) is None:
        sentence = f"june runs, but {home / 'state.json'} does not say where: stop it, and start it again."
        fault = JuneError(sentence, HomeFault.STATE_DAMAGED)
    fault = fault or find_database_fault(database, thorough=True, in_use=held)
    if fault:
        return Finding("home", ok=False, found=str(fault.fault), advice=str(fault))
    try:
        old = database.exists() and Database(database).needs_rewriting()
    except sqlite3.Error:  # locked just now
        old = False
    if old:
        advice = "Start june once more with as much space free as the file takes: it is rewritten then."
        found = f"{database.name} may hold bytes of what was deleted by an older june"
        return Finding("home", ok=False, found=found, advice=advice)
    return Finding("home", ok=True, found=f"{home} can be written, and is sound")


def check_private(home: Path) -> Finding:
    """Check that nobody else can read the home's files, and mend those that others can."""
    if not home.exists():
        return Finding("privacy", ok=True, found=f"{home} is made at the first start")
    try:
        changed, others = keep_private(home)
    except OSError as error:
        fault = explain_os_error(error, home)
        return Finding("privacy", ok=False, found=str(fault.fault), advice=str(fault))
    found = f"nobody else can read {home}"
    if changed:
        found = f"mended: others had access to {_some(home, changed)}; now nobody else has"
    advice = f"Of another user, and left as they are: {_some(home, others)}. Give them to this user." if others else ""
    return Finding("privacy", not others, found, advice)


def _some(home: Path, paths: list[Path]) -> str:
    """Name the first of many paths."""
    names = [str(path.relative_to(home)) for path in paths[:NAMED]]
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join("the home itself" if name == "." else name for name in names) + more


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
        known, check = entry(name), f"model {name}"
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


def check_voices(settings: PiperSettings, storage: StorageSettings) -> Finding:
    """Check which languages have a voice of Piper's, and that espeak-ng speaks the others."""
    from workers.engines.espeak import EspeakUnavailableError, open_library

    names = [*settings.voices, *pulled_voices(storage.models)]
    voices = {Path(name).stem.split("_")[0]: Path(name).stem for name in reversed(names)}
    piper = "Piper: " + (", ".join(f"{language} ({voices[language]})" for language in sorted(voices)) or "none")
    if not settings.fallback:
        return Finding("voices", ok=True, found=f"{piper}; other languages stay text (JUNE_PIPER_FALLBACK is off)")
    try:
        open_library()
    except EspeakUnavailableError as reason:
        advice = "Install piper-tts again (`pip install --force-reinstall piper-tts`), or pull voices by name."
        return Finding("voices", ok=False, found=f"{piper}; other languages stay text: {reason}", advice=advice)
    better = "`june models list --voices` names better ones to pull"
    return Finding("voices", ok=True, found=f"{piper}; espeak-ng (robotic) speaks other languages: {better}")


def check_ports(home: Path, ports: EmbeddedSettings) -> Finding:
    """Check that the embedded stack's ports are free, unless it holds them."""
    if running(home):
        return Finding("ports", ok=True, found="june is running and holds its ports")
    wanted = {
        "JUNE_EMBEDDED_TEMPORAL_PORT": ports.temporal_port,
        "JUNE_EMBEDDED_UI_PORT": ports.ui_port,
        **({"JUNE_EMBEDDED_LLM_PORT": ports.llm_port} if "llm_port" in ports.model_fields_set else {}),
        "JUNE_EMBEDDED_WORKER_PORT_BASE": ports.worker_port_base,
        "JUNE_WEB_PORT": WebSettings().port,
    }
    taken = [occupied(port, setting) for setting, port in wanted.items() if not is_free(port)]
    found = f"{len(wanted) - len(taken)} of {len(wanted)} free"
    return Finding("ports", ok=not taken, found=found, advice=" ".join(taken))


def check_encryption(storage: StorageSettings, settings: EncryptionSettings) -> Finding:
    """Check whether what goes to Temporal is encrypted, with which key, and that the key ring is the owner's alone."""
    try:
        keys = configured_keys(storage, settings)
    except KeyRingError as error:
        advice = "Bring it back: what is encrypted with its keys cannot be read without it."
        return Finding("encryption", ok=False, found=str(error), advice=advice)
    path = settings.path(storage)
    if not keys.active_id:
        found = f"off: {keys.origin}; `june up` makes them there, `june keys make` for a server of your own"
        return Finding("encryption", ok=True, found=found)
    found = f"on: key {keys.active_id} of {keys.origin}"
    if not settings.keys_from and path.stat().st_mode & 0o077:
        return Finding("encryption", ok=False, found=f"{found}, which others may read", advice=f"chmod 600 {path}")
    return Finding("encryption", ok=True, found=found)


async def check_sandbox(settings: SandboxSettings) -> Finding:
    """Check where the coding agent's commands run, by running one: what isolates it, and how to get more."""
    from activities.sandbox.sandbox import SandboxError
    from workers.roles.sandbox import open_sandboxes

    backend = open_sandboxes(settings)
    try:
        isolation = await backend.isolation()
    except SandboxError as error:
        return Finding("sandbox", ok=False, found=f"{error.code}: the coding agent runs nothing", advice=str(error))
    found = f"{isolation.backend}: {', '.join(isolation.holds)}"
    more = "".join(f" Not {missing}." for missing in isolation.lacks).strip()
    return Finding("sandbox", ok=True, found=found, advice=more)


async def check_server() -> list[Finding]:
    """Check that a Temporal server answers, knows june's search attributes, and that workers poll each queue."""
    try:
        client = await connect(TelemetrySettings(metrics_address="", otlp_url=""))
    except UnavailableError as error:
        return [Finding("temporal", ok=False, found="no answer", advice=str(error))]
    except KeyRingError:
        return []  # a finding of its own
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


async def check_web_ui(home: Path, web: WebSettings, ports: EmbeddedSettings) -> Finding:
    """Check that Temporal's Web UI, and whatever else its server listens on, answers no page of another site."""
    import httpx2

    check, state = "web ui", running(home)
    if state and state.ui_url is None and Role.WEB.program in state.ports:
        refused = ", ".join(map(str, REFUSED_BY_BROWSERS))
        advice = f"Start june again with one of these ports free, which browsers refuse: {refused}."
        return Finding(check, ok=False, found="not served, as it would be open to any page", advice=advice)
    if state:
        served = state.ui_url
        own = [f"http://{LOOPBACK}:{port}" for port in listening(state.pids.get(TEMPORAL, 0))]
    else:
        served = f"http://{LOOPBACK}:{ports.ui_port}" if web.ui_server else None
        own = [web.ui_server] if web.ui_server else []

    async def is_open(client: httpx2.AsyncClient, url: str) -> bool:
        """Ask as a browser does for another site, whose name leads here."""
        if httpx2.URL(url).port in REFUSED_BY_BROWSERS:
            return False
        try:
            return (await client.get(f"{url}/api/v1/namespaces", headers={"Host": OTHER_SITE})).is_success
        except httpx2.HTTPError:  # it speaks gRPC, or is away
            return False

    async with httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
        found = [url for url in (*own, served) if url and await is_open(client, url)]
    if found:
        advice = "Let browsers reach it through june alone: docs/look-inside.md."
        return Finding(check, ok=False, found=f"any page may read {', '.join(found)}", advice=advice)
    return Finding(check, ok=True, found=f"{served}; other sites are refused" if served else "not served by june")


async def check_model_server(llm: LlmSettings, home: Path, ports: EmbeddedSettings) -> Finding:
    """Request the model server's list of models; of the embedded one, whose key only its run knows, its health."""
    import httpx2

    state = running(home)
    port = state.ports.get(MODEL_SERVER) if state else None
    embedded = f"http://{LOOPBACK}:{port or ports.llm_port}/health"
    url = llm.base_url.rstrip("/") + "/models" if llm.base_url else embedded
    headers = {"Authorization": f"Bearer {llm.api_key.get_secret_value()}"} if llm.api_key.get_secret_value() else {}
    try:
        # The model client's own library, so that a proxy is used, or fails, as it is there.
        client = httpx2.AsyncClient(trust_env=not is_loopback(url), follow_redirects=True, timeout=TIMEOUT_SECONDS)
        async with client:
            (await client.get(url, headers=headers)).raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        advice = (
            "Check JUNE_LLM_BASE_URL."
            if llm.base_url
            else "Start june: `june up`; then look into logs/model-server.log."
        )
        return Finding("model server", ok=False, found=f"{url}: {error}", advice=advice)
    return Finding("model server", ok=True, found=url)


def check_proxies(llm: LlmSettings, ports: EmbeddedSettings) -> Finding:
    """Say which of june's connections go through a proxy that the environment names; none on loopback does."""
    proxies = {name: url for name, url in getproxies_environment().items() if name in PROXIED_SCHEMES}
    if not proxies:
        return Finding("proxies", ok=True, found="none in the environment")
    bots, telegram = configured_bots(), TelegramSettings()
    urls = {
        "model server": llm.base_url or f"http://{LOOPBACK}:{ports.llm_port}",
        "Telegram": telegram.base_url if Role.TELEGRAM in bots else "",
        "Telegram's files": telegram.file_base_url if Role.TELEGRAM in bots else "",
        "traces": TelemetrySettings().otlp_url,
        "model hub": os.environ.get("HF_ENDPOINT", "https://huggingface.co"),
    }
    through = [f"{name} through {_shown(proxy)}" for name, url in urls.items() if url and (proxy := proxy_for(url))]
    # The clients of Temporal and Discord read no variables of proxies.
    direct = ["Temporal", *(["Discord"] if Role.DISCORD in bots else [])]
    direct += [name for name, url in urls.items() if url and not proxy_for(url)]
    wrong = [f"{name}_proxy" for name, url in proxies.items() if _shown(url).partition("://")[0] not in PROXY_KINDS]
    advice = f"Write {', '.join(wrong)} as one of {', '.join(PROXY_KINDS)} with ://host:port." if wrong else ""
    return Finding("proxies", not wrong, "; ".join([*through, f"directly: {', '.join(direct)}"]), advice)


def _shown(proxy: str) -> str:
    """Return a proxy's URL without user and password."""
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme or 'http'}://{rest.rpartition('@')[2]}"


async def examine() -> list[Finding]:
    """Run all checks, by the settings of the environment."""
    storage, ports = StorageSettings(), EmbeddedSettings()
    home = storage.home
    local = [check_python(), check_disk(home), check_home(home), check_private(home), check_codecs()]
    local += check_models(storage)
    local.append(check_voices(PiperSettings(), storage))
    local.append(check_encryption(storage, EncryptionSettings()))
    local.append(check_ports(home, ports))
    local.append(check_proxies(LlmSettings(), ports))
    local.append(await check_sandbox(SandboxSettings()))
    web_ui = await check_web_ui(home, WebSettings(), ports)
    return [*local, *await check_server(), web_ui, await check_model_server(LlmSettings(), home, ports)]


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
