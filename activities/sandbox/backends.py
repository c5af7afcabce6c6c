"""Chooses the backend by its name."""

from collections.abc import Sequence
from typing import Literal

from activities.sandbox.bubblewrap import BubblewrapSandboxes
from activities.sandbox.containers import ContainerSandboxes
from activities.sandbox.sandbox import Sandboxes


def open_backend(
    backend: Literal["bubblewrap", "podman", "docker"],
    *,
    bwrap: str = "",
    image: str = "june-sandbox",
    runtime: str = "",
    uid: int = 61001,
    slots: int = 2,
    packages: Sequence[str] = ("pytest",),
) -> Sandboxes:
    """Return the backend of this name, which has started nothing yet; the arguments are those of the settings."""
    if backend == "bubblewrap":
        return BubblewrapSandboxes(bwrap=bwrap, uid=uid, slots=slots, packages=packages)
    return ContainerSandboxes(backend, image=image, runtime=runtime, uid=uid, slots=slots)
