"""From a role to what its worker serves; a process imports its own role's libraries, and no other's."""

from importlib import import_module

from temporalio.client import Client

from workers.roles.role import Role
from workers.roles.spec import WorkerSpec


async def build_spec(role: Role, client: Client) -> WorkerSpec:
    """Load and warm what a role needs: ``build`` of the module ``workers.roles.<role>``.

    Raises:
        JuneError: something is missing; the sentence says what.

    """
    spec: WorkerSpec = await import_module(f"workers.roles.{role.value}").build(client)
    return spec
