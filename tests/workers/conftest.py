"""What the tests of processes share: a server named as operators name it."""

from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.encryption import KEY_RING
from workers.settings import PROJECT, StorageSettings

SMALL_MODEL = "smollm2-135m-instruct"


@pytest.fixture
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key ring of the tests' server, as a file of the owner's alone."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    file.write_bytes(KEY_RING.read_bytes())
    file.chmod(0o600)
    return file


@pytest.fixture
def address(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, key_file: Path) -> str:
    """Name the dev server in Temporal's environment configuration, and its keys in june's."""
    monkeypatch.setenv("JUNE_ENCRYPTION_KEY_FILE", str(key_file))
    address = dev_server.client.service_client.config.target_host
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    return address


def prepared_home(folder: Path) -> StorageSettings:
    """Make a home whose models are those of the project; the rest is its own."""
    models = PROJECT / "var" / "models"
    if not (models / SMALL_MODEL).exists():
        pytest.skip("the models are not there: make models")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(models)
    return StorageSettings(home=folder, file_roots=(folder, PROJECT))
