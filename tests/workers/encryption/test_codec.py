"""Payloads are sealed, opened, and told apart from those that never were; on a real server, failures are sealed too."""

import asyncio
import shutil
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import HeaderCodecBehavior, RetryPolicy
from temporalio.converter import DefaultFailureConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from tests.support.encryption import CONVERTER, opened_history
from tests.support.payloads import payloads_of
from tests.support.waiting import until
from workers.encryption import codec as room
from workers.encryption.codec import ENCODING, KEY_ID, EncryptionCodec, KeyUnknownError, data_converter
from workers.encryption.keys import KeyRing, add_key, make_ring, new_key, read_ring
from workers.encryption.source import Keys, configured_keys
from workers.settings import PROJECT, EncryptionSettings, StorageSettings

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"words"')
WORD = "Xylograph"


def keys_with(*ids: str) -> Keys:
    made = tuple(new_key().model_copy(update={"id": key_id}) for key_id in ids)
    return Keys("a test", lambda: KeyRing(active=ids[-1], keys=made))


@given(st.binary(max_size=2000), st.dictionaries(st.text(max_size=8), st.binary(max_size=8), max_size=3))
def test_what_is_sealed_is_opened(data: bytes, metadata: dict[str, bytes]) -> None:
    async def there_and_back() -> None:
        codec, payload = EncryptionCodec(keys_with("a")), Payload(metadata=metadata, data=data)
        sealed, again = await codec.encode([payload, payload])
        assert sealed.metadata == {"encoding": ENCODING, KEY_ID: b"a"}
        assert sealed.data != again.data, "a nonce of its own each time"
        assert await codec.decode([sealed, again]) == [payload, payload]

    asyncio.run(there_and_back())


async def test_nothing_of_it_can_be_read() -> None:
    (sealed,) = await EncryptionCodec(keys_with("a")).encode([PLAIN])
    assert b"words" not in sealed.SerializeToString()
    assert b"json" not in sealed.SerializeToString()


async def test_plain_payloads_pass() -> None:
    for keys in (keys_with("a"), Keys.none()):
        assert await EncryptionCodec(keys).decode([PLAIN]) == [PLAIN]
    assert await EncryptionCodec(Keys.none()).encode([PLAIN]) == [PLAIN]


async def test_older_keys_still_read(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    make_ring(file)
    codec = EncryptionCodec(ring_of(tmp_path))
    (before,) = await codec.encode([PLAIN])
    key = add_key(file, activate=True)
    (after,) = await codec.encode([PLAIN])
    assert after.metadata[KEY_ID].decode() == key.id != before.metadata[KEY_ID].decode()
    assert await codec.decode([before, after]) == [PLAIN, PLAIN]


@pytest.mark.parametrize("keys", [Keys.none(), keys_with("b"), keys_with("a")], ids=["none", "another", "same id"])
async def test_a_key_that_is_missing_is_said_by_a_code_and_tried_again(keys: Keys) -> None:
    (sealed,) = await EncryptionCodec(keys_with("a")).encode([PLAIN])
    with pytest.raises(KeyUnknownError, match="'a'") as raised:
        await EncryptionCodec(keys).decode([sealed])
    assert (raised.value.type, raised.value.non_retryable) == ("key-unknown", False)


async def test_what_was_changed_is_not_opened() -> None:
    codec = EncryptionCodec(keys_with("a", "b"))
    (sealed,) = await codec.encode([PLAIN])
    changed = [
        sealed.data[:n] + bytes([sealed.data[n] ^ 1]) + sealed.data[n + 1 :] for n in (0, 12, -1 % len(sealed.data))
    ]
    for data in (*changed, sealed.data[:20], b""):
        with pytest.raises(KeyUnknownError):
            await codec.decode([Payload(metadata=dict(sealed.metadata), data=data)])
    with pytest.raises(KeyUnknownError):
        await codec.decode([Payload(metadata={"encoding": ENCODING, KEY_ID: b"a"}, data=sealed.data)])
    with pytest.raises(KeyUnknownError):
        await codec.decode([Payload(metadata={"encoding": ENCODING, KEY_ID: b"\xff"}, data=sealed.data)])


def test_every_client_and_replayer_has_the_one_converter() -> None:
    folders = (PROJECT / name for name in ("activities", "bots", "workers", "workflows", "tests"))
    files = [file for folder in folders for file in folder.rglob("*.py")]
    found = {str(file.relative_to(PROJECT)) for file in files if "pydantic_data_" + "converter" in file.read_text()}
    assert found == {"workers/encryption/codec.py"}


async def test_the_loop_goes_on_while_a_large_one_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []

    async def to_thread(work: object) -> object:
        used.append("thread")
        assert callable(work)
        return work()

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    codec = EncryptionCodec(keys_with("a"))
    await codec.encode([PLAIN])
    assert used == []
    large = Payload(data=bytes(room.IN_LOOP_BYTES + 1))
    assert await codec.decode(await codec.encode([large])) == [large]
    assert used == ["thread", "thread"]


def test_failures_are_sealed_where_there_are_keys() -> None:
    assert data_converter(Keys.none()).failure_converter_class is DefaultFailureConverter
    assert data_converter(keys_with("a")).failure_converter_class is not DefaultFailureConverter


@activity.defn(name="fails")
async def fails(word: str) -> None:
    """Beat, and fail, with words in all that it can say them in."""
    activity.heartbeat(word)
    raise ApplicationError(f"no {word}", {"said": word}, type="Refused", non_retryable=True)


@workflow.defn(name="Sealed", sandboxed=False)
class Sealed:
    """Writes a word into everything that a workflow can write it into, but what june leaves in the clear."""

    @workflow.run
    async def run(self, word: str) -> str:
        workflow.set_current_details(word)
        workflow.upsert_memo({"said": word})
        try:
            await workflow.execute_activity(
                "fails",
                word,
                summary=word,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except Exception as error:
            await workflow.wait_condition(lambda: self.told == word)
            raise ApplicationError(f"it ends: {word}", word) from error
        return word

    def __init__(self) -> None:
        self.told = ""

    @workflow.signal
    def tell(self, word: str) -> None:
        self.told = word

    @workflow.query
    def said(self) -> str:
        return self.told

    @workflow.update
    def change(self, word: str) -> str:
        return word


async def test_all_that_a_workflow_says_is_sealed_on_the_server(dev_server: WorkflowEnvironment) -> None:
    client = Client(
        dev_server.client.service_client, data_converter=CONVERTER, header_codec_behavior=HeaderCodecBehavior.CODEC
    )
    queue = str(uuid.uuid4())
    async with worker(client, queue):
        handle = await client.start_workflow(
            Sealed.run, WORD, id=queue, task_queue=queue, memo={"first": WORD}, static_summary=WORD, static_details=WORD
        )
        assert await handle.execute_update(Sealed.change, WORD) == WORD
        await handle.signal(Sealed.tell, WORD)

        async def told() -> bool:
            return await handle.query(Sealed.said) == WORD

        await until(told)
        with pytest.raises(WorkflowFailureError, match="Workflow execution failed") as raised:
            await handle.result()
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.message == f"it ends: {WORD}"
    described = await handle.describe()
    assert await described.memo() == {"first": WORD, "said": WORD}
    stored = await handle.fetch_history()
    assert WORD not in str(stored.events)
    assert WORD not in str(described.raw_description)
    assert "Encoded failure" in str(stored.events)
    for event in stored.events:
        for payload in payloads_of(event):
            assert payload.metadata["encoding"] == ENCODING
    assert str((await opened_history(handle)).events).count(WORD) >= 10


async def test_a_workflow_that_was_started_in_the_clear_goes_on(dev_server: WorkflowEnvironment) -> None:
    plain = Client(dev_server.client.service_client, data_converter=data_converter(Keys.none()))
    sealing = Client(dev_server.client.service_client, data_converter=CONVERTER)
    queue = str(uuid.uuid4())
    handle = await plain.start_workflow(Sealed.run, WORD, id=queue, task_queue=queue)
    async with worker(sealing, queue):
        await plain.get_workflow_handle(queue).signal("tell", WORD)
        with pytest.raises(WorkflowFailureError) as raised:
            await sealing.get_workflow_handle(queue).result()
    assert WORD in str(raised.value.cause)
    events = (await handle.fetch_history()).events
    assert WORD in str(events[0])
    assert WORD not in str(events[-1])


def ring_of(home: Path) -> Keys:
    return configured_keys(StorageSettings(home=home), EncryptionSettings(key_file=""))


def worker(client: Client, queue: str) -> Worker:
    runner = UnsandboxedWorkflowRunner()
    return Worker(client, task_queue=queue, workflows=[Sealed], activities=[fails], workflow_runner=runner)


async def test_a_rotation_while_a_workflow_runs(dev_server: WorkflowEnvironment, tmp_path: Path) -> None:
    file, queue = tmp_path / "keys.json", str(uuid.uuid4())
    make_ring(file)
    client = Client(dev_server.client.service_client, data_converter=data_converter(ring_of(tmp_path)))
    async with worker(client, queue):
        handle = await client.start_workflow(Sealed.run, WORD, id=queue, task_queue=queue)
        assert await handle.execute_update(Sealed.change, WORD) == WORD
        add_key(file, activate=True)
        await handle.signal(Sealed.tell, WORD)
        with pytest.raises(WorkflowFailureError, match="Workflow execution failed"):
            await handle.result()
    history = await handle.fetch_history()
    used = [payload.metadata[KEY_ID].decode() for event in history.events for payload in payloads_of(event)]
    assert list(dict.fromkeys(used)) == [key.id for key in read_ring(file).keys]
    await Replayer(workflows=[Sealed], data_converter=client.data_converter).replay_workflow(history)


@pytest.mark.slow
async def test_a_workflow_waits_for_a_key_that_its_worker_lacks(
    dev_server: WorkflowEnvironment, tmp_path: Path
) -> None:
    here, there, queue = tmp_path / "here", tmp_path / "there", str(uuid.uuid4())
    for home in (here, there):
        make_ring(home / "keys.json")
    client = Client(dev_server.client.service_client, data_converter=data_converter(ring_of(here)))
    without = Client(dev_server.client.service_client, data_converter=data_converter(ring_of(there)))
    handle = await client.start_workflow(Sealed.run, WORD, id=queue, task_queue=queue)
    async with worker(without, queue):

        async def task_failed() -> bool:
            events = (await handle.fetch_history()).events
            return any(event.HasField("workflow_task_failed_event_attributes") for event in events)

        await until(task_failed)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        shutil.copy(here / "keys.json", there / "keys.json")
        await handle.signal(Sealed.tell, WORD)
        with pytest.raises(WorkflowFailureError, match="Workflow execution failed") as raised:
            await handle.result()
    assert WORD in str(raised.value.cause)
