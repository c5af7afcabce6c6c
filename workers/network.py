"""What leaves this machine: nothing that is meant for loopback, and no library's telemetry.

A proxy that the environment names cannot reach this machine's loopback, or answers from its own. Libraries follow
``NO_PROXY`` each in a way of its own (of blocks of addresses, for one, httpx knows nothing), so that hosts are also
named there one by one.
"""

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

TELEMETRY_OFF = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""ONNX Runtime, of speech, tells Microsoft of each session unless it reads this as it is loaded."""
NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
"""Of loopback, in the hosts file of one system or another; all names below ``localhost`` are, too (RFC 6761)."""
EXEMPT = ("localhost", ".localhost", "127.0.0.1", "::1", "127.0.0.0/8")
PYTHON_EXEMPTIONS = "no_proxy"
"""Python's libraries prefer it to the one in capitals, which is all that others know."""
EXEMPTIONS = (PYTHON_EXEMPTIONS, "NO_PROXY")
GRPC_EXEMPTIONS = "no_grpc_proxy"
"""Where it is set, gRPC reads none of the others."""


def is_loopback(url: str) -> bool:
    """Check whether a URL leads to this machine: by loopback's addresses, or the unspecified ones, or by name.

    Other names are not looked up. What is no URL is not on loopback.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").partition("%")[0]
    except ValueError:
        return False
    if host in NAMES or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(host))  # 127.1, 2130706433, 0x7f000001
        except (OSError, ValueError):
            return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    return address.is_loopback or address.is_unspecified


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to set before a process loads or starts anything."""
    return TELEMETRY_OFF | exemptions(environment)


def exemptions(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to set in an environment, so that loopback is reached from it without a proxy.

    Besides the usual hosts, those on loopback that any variable's URL names are exempt. Where the environment says
    nothing of proxies there are none to set: one of them would keep Python from reading the system's own settings.
    """
    if not any(name.lower().endswith("_proxy") for name in environment):
        return {}
    named = [urlsplit(value).hostname or "" for value in environment.values() if is_loopback(value)]
    variables = {}
    for variable in (*EXEMPTIONS, *([GRPC_EXEMPTIONS] if GRPC_EXEMPTIONS in environment else ())):
        # A variable that is missing takes the other's hosts: alone, it would hide them.
        given = environment.get(variable) or next((environment[v] for v in EXEMPTIONS if environment.get(v)), "")
        hosts = [host.strip() for host in given.split(",") if host.strip()]
        if variable == PYTHON_EXEMPTIONS:
            hosts = [host for host in hosts if not _breaks_httpx(host)]
        if "*" not in hosts:
            hosts = list(dict.fromkeys([*hosts, *EXEMPT, *named]))
        variables[variable] = ",".join(hosts)
    return variables


def _breaks_httpx(host: str) -> bool:
    """Check for what httpx 0.28 fails on as it builds a client, and no library of Python's understands."""
    try:
        return ":" in host and not host.rpartition(":")[2].isdigit() and not ipaddress.IPv6Address(host)
    except ValueError:
        return True


def proxy_for(url: str) -> str | None:
    """Return the proxy of the environment that a URL is asked through; None for none."""
    target = urlsplit(url)
    proxies = getproxies_environment()
    if is_loopback(url) or proxy_bypass(target.netloc.rpartition("@")[2], proxies):
        return None
    return proxies.get(target.scheme) or proxies.get("all")
