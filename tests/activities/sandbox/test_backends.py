"""The backend of a name."""

import pytest

from activities.sandbox.backends import open_backend
from activities.sandbox.bubblewrap import BubblewrapSandboxes
from activities.sandbox.containers import ContainerSandboxes
from activities.sandbox.sandbox import SandboxError, Sandboxes


def test_each_name_has_its_backend() -> None:
    backends: list[Sandboxes] = [open_backend("bubblewrap"), open_backend("podman"), open_backend("docker")]
    assert [type(backend) for backend in backends] == [BubblewrapSandboxes, ContainerSandboxes, ContainerSandboxes]


async def test_what_is_not_there_is_named_with_advice() -> None:
    with pytest.raises(SandboxError, match=r"/no/bwrap.*Install it") as caught:
        await open_backend("bubblewrap", bwrap="/no/bwrap", packages=()).isolation()
    assert caught.value.code == "sandbox-unavailable"
    with pytest.raises(SandboxError, match=r"is not there\. See that /no/engine is installed") as caught:
        await ContainerSandboxes("/no/engine").isolation()
    assert caught.value.code == "sandbox-unavailable"
