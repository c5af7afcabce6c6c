"""The connection to Temporal of every process of june."""

import asyncio
import time

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import HeaderCodecBehavior
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from workers.encryption.codec import data_converter
from workers.encryption.source import Keys, configured_keys
from workers.errors import UnavailableError
from workers.settings import EmbeddedSettings, TelemetrySettings
from workers.telemetry import build_runtime, build_tracing
from workflows.names import SEARCH_ATTRIBUTES

RETRY_SECONDS = 0.1


def connection_config() -> ClientConnectConfig:
    """Return Temporal's own environment configuration; without one, the embedded server's address."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", f"127.0.0.1:{EmbeddedSettings().temporal_port}")
    return config


async def connect(
    telemetry: TelemetrySettings | None = None,
    *,
    address: str | None = None,
    timeout_seconds: float = 0,
    service: str = "june",
    keys: Keys | None = None,
) -> Client:
    """Connect to the server named by Temporal's environment configuration.

    Args:
        telemetry: metrics and traces of this process; None is by the environment.
        address: ``host:port`` of a server without TLS, instead of what the environment names.
        timeout_seconds: keep trying for so long while the server comes up.
        service: this process's name in traces.
        keys: what payloads are encrypted with; None is by the settings.

    Raises:
        KeyRingError: the settings name keys that are not there.
        UnavailableError: no server answered in time.

    """
    telemetry = telemetry or TelemetrySettings()
    config = ClientConnectConfig(target_host=address) if address else connection_config()
    runtime = build_runtime(telemetry.metrics_address, telemetry.telemetry_hosts)
    plugins = build_tracing(telemetry.otlp_url, service)
    converter = data_converter(configured_keys() if keys is None else keys)
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return await Client.connect(
                **config,
                data_converter=converter,
                header_codec_behavior=HeaderCodecBehavior.CODEC,
                runtime=runtime,
                plugins=plugins,
            )
        except RuntimeError as error:
            if time.monotonic() >= deadline:
                raise UnavailableError(
                    f"No Temporal server answers at {config['target_host']}: start june with `june up`, "
                    "or set TEMPORAL_ADDRESS."
                ) from error
        await asyncio.sleep(RETRY_SECONDS)


async def is_serving(address: str, timeout_seconds: float) -> bool:
    """Ask the server at ``host:port`` once whether it serves."""
    try:
        async with asyncio.timeout(timeout_seconds):
            client = await ServiceClient.connect(ConnectConfig(target_host=address))
            return await client.check_health()
    except (RPCError, RuntimeError, TimeoutError):  # it refuses, there is nobody to connect to, or it is silent
        return False


async def missing_search_attributes(client: Client) -> dict[str, IndexedValueType.ValueType]:
    """Return june's search attributes that the namespace lacks."""
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return {
        key.name: IndexedValueType.ValueType(key.indexed_value_type)
        for key in SEARCH_ATTRIBUTES
        if key.name not in listed.custom_attributes
    }


async def ensure_search_attributes(client: Client) -> None:
    """Add those of june's search attributes that the namespace lacks.

    Raises:
        UnavailableError: the server does not let june add them (on Temporal Cloud an operator does).

    """
    try:
        missing = await missing_search_attributes(client)
        if missing:
            request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        names = ", ".join(f"{key.name}=Keyword" for key in SEARCH_ATTRIBUTES)
        raise UnavailableError(
            f"The search attributes of namespace {client.namespace} could not be set ({error.message}); "
            f"create them by hand: {names}."
        ) from error
