"""The web page with real engines: a spoken question, sentences heard while the model writes, memory over a restart."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from activities.audio.codec import encode_ogg_opus
from tests.support.chat import activities_of
from tests.support.encryption import opened_history
from tests.support.page_browser import answered, as_microphone, hold, launched, marks, open_page, picture, write
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.support.word_errors import wer
from workers.bench.turn import FOUR_SENTENCES
from workers.engines.piper import PiperSynthesizer
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import PROJECT, AudioSettings, LlmSettings, PiperSettings, StorageSettings, WebSettings

pytestmark = [pytest.mark.e2e, pytest.mark.engines]


class Home:
    """A machine of somebody's own, whose june is started and stopped."""

    def __init__(self, folder: Path) -> None:
        models, self.folder = StorageSettings().models, folder / "home"
        if not (models / LlmSettings().model).exists():
            pytest.skip("the default model is not there: june models pull --demo")
        self.folder.mkdir()
        (self.folder / "models").symlink_to(models)
        self._ports, self._web = own_ports(), WebSettings(port=free_port())

    @asynccontextmanager
    async def june(self) -> AsyncIterator[Embedded]:
        """Run june, with nothing but its page."""
        storage = StorageSettings(home=self.folder, file_roots=(PROJECT,))
        async with Embedded(storage, self._ports, LlmSettings(), web=self._web, optional=(Role.WEB,)) as stack:
            yield stack


def spoken(text: str) -> bytes:
    """Speak a question."""
    sound = PiperSynthesizer(PiperSettings(), StorageSettings()).synthesize(text, "en", None)
    return encode_ogg_opus(sound.samples.tobytes(), sound.sample_rate, AudioSettings().reply_bit_rate)


async def test_somebody_talks_with_june(tmp_path: Path) -> None:
    home, microphone = Home(tmp_path), tmp_path / "question.wav"
    seconds = as_microphone(spoken(FOUR_SENTENCES), microphone)
    async with launched(microphone) as browser:
        page = await browser.new_page(viewport={"width": 1100, "height": 860})
        async with home.june() as stack:
            assert stack.web_url
            complaints = await open_page(page, stack.web_url)
            await picture(page, tmp_path, "welcome")
            await hold(page, seconds)
            await page.wait_for_selector("body[data-state=speaking]")
            await picture(page, tmp_path, "speaking")
            await answered(page, 1)
            await picture(page, tmp_path, "web")
            heard = await page.locator(".said").inner_text()
            answer = await page.locator(".answer").inner_text()
            assert wer(FOUR_SENTENCES, heard) < 0.15
            await speaks_while_the_model_writes(page)
            await write(page, "Which season did you tell me about first?")
            await answered(page, 2)
            assert complaints == []
            assert await prompt_of_turn(stack, 2) == [heard, answer, "Which season did you tell me about first?"]
        async with home.june() as stack:
            await page.reload()
            await page.wait_for_selector("html[data-ready]")
            await answered(page, 2)
            assert (await page.locator(".said").all_inner_texts())[0] == heard
            assert (await page.locator(".answer").all_inner_texts())[0] == answer
            await picture(page, tmp_path, "again")
            await page.locator(".replay").first.click()
            await page.wait_for_selector("body[data-state=speaking]")
            await page.locator("#stop").click()
            await write(page, "And which one last?")
            await answered(page, 3)
            assert (await prompt_of_turn(stack, 3))[:2] == [heard, answer]
            assert complaints == []


async def speaks_while_the_model_writes(page: Page) -> None:
    """Check that the first sound came before the model had ended."""
    at: dict[str, float] = {}
    for name, time in await marks(page):
        at.setdefault(name, time)
    ended = min(at.get(f"june:stage:{stage}", 1e9) for stage in ("synthesize", "reply", "done"))
    first, sent = at["june:sound"], at["june:sent"]
    print(f"first sound {first - sent:.0f} ms after sending, model ended {ended - sent:.0f} ms after")  # noqa: T201
    assert first < ended


async def prompt_of_turn(stack: Embedded, number: int) -> list[str]:
    """Read what the model was told in the chat's n-th turn, without june's own words."""
    query = "Platform = 'web' AND WorkflowType = 'VoiceMessage'"

    async def there() -> bool:
        return (await stack.client.count_workflows(query)).count == number

    await until(there)
    runs = [run async for run in stack.client.list_workflows(query)]
    last = max(runs, key=lambda run: run.start_time)
    history = await opened_history(stack.client.get_workflow_handle(last.id))
    (infer,) = [ran for ran in activities_of(history) if ran.name == "infer"]
    return [message["content"] for message in json.loads(infer.input)["messages"] if message["role"] != "system"]
