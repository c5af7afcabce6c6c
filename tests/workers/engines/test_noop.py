"""Engines that do nothing give what real ones give."""

import threading

import numpy as np
from temporalio.testing import ActivityEnvironment

from activities.coding.completion import read_completion
from activities.infer import InferRequest, Message
from activities.language_model import ModelRequest
from activities.text.sentences import split
from agent.actions import Finish
from agent.step import Reply, interpret
from workers.engines.noop import ANSWER, NoopInfer, NoopModel, NoopRecognizer, NoopSynthesizer


def test_speech_is_recognized_in_silence() -> None:
    recognition = NoopRecognizer().recognize(np.zeros(0, np.float32), None, threading.Event())
    assert (recognition.text, recognition.language) == ("This is a question.", "en")


def test_a_tenth_of_a_second_is_synthesized() -> None:
    sound = NoopSynthesizer().synthesize("Anything.", "de", None)
    assert sound.samples.dtype == np.int16
    assert len(sound.samples) / sound.sample_rate == 0.1


async def test_an_answer_is_one_sentence() -> None:
    request = InferRequest(messages=(Message(role="user", content="Hi?"),))
    inference = await ActivityEnvironment().run(NoopInfer().infer, request)
    assert inference.answer == ANSWER
    assert list(inference.sentences) == list(split(ANSWER))


async def test_a_task_is_done_at_its_first_step() -> None:
    completion = await read_completion(NoopModel(), ModelRequest((), None, 0, answer_tokens=10, thinking_tokens=0))
    assert interpret(1, Reply(completion.content)).action == Finish(summary=ANSWER)
