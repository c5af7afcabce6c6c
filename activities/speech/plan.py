"""Plan a run of speech: which recordings, by which options, and what is measured."""

from temporalio import activity

from activities.benchmarks.attempts import Mode
from activities.benchmarks.machine import code_version, machine
from activities.benchmarks.plan import Planned, PlanRequest, choose
from activities.benchmarks.task_files import BenchmarkError
from activities.heartbeats import in_thread
from activities.speech.clips import SHIPPED, ClipsError, ClipSet, read_set
from activities.speech.options import OptionsError, RecognitionOptions, TurnOptions, options_of
from activities.speech.recognizers import ColumnError, Engines
from activities.synthesize import MAX_CHARS

TURNS_TASK = "turns"
"""The one task of the mode ``turns``."""


class PlanSpeechActivity:
    """The activity ``plan_speech``, of the worker that has the recognizer."""

    def __init__(self, engines: Engines) -> None:
        """Plan what these engines measure."""
        self._engines = engines

    @activity.defn
    async def plan_speech(self, request: PlanRequest) -> Planned:
        """Choose the tasks, and pin what decides their figures; columns are loaded, so that none is missed later.

        Raises:
            BenchmarkError: ``data-set-...``, ``task-unknown``, ``options-unusable``, ``column-unknown``, or
                ``model-refused``.

        """
        return await in_thread(lambda _stop: self._plan(request))

    def _plan(self, request: PlanRequest) -> Planned:
        try:
            options = options_of(request.mode, request.options)
            # Of the mode turns any name is taken: its questions are always those that come with june.
            found = read_set(SHIPPED if request.mode is Mode.TURNS else request.data_set)
            if isinstance(options, TurnOptions):
                found.voice_notes(options.language)
            if isinstance(options, RecognitionOptions):
                for column in options.names:
                    self._engines.recognizer(column)
        except OptionsError as error:
            raise BenchmarkError("options-unusable", str(error)) from error
        except ColumnError as error:
            raise BenchmarkError("column-unknown", str(error)) from error
        except ClipsError as error:
            raise BenchmarkError(error.code, str(error)) from error
        measured = self._engines.models[request.mode]
        if request.model not in {None, measured.name}:
            message = f"{request.mode.value} measures {measured.name}, as the worker is configured, not {request.model}"
            raise BenchmarkError("model-refused", f"{message}: other recognizers are columns of stt.")
        return Planned(
            tasks=choose(request.data_set, _tasks(request.mode, found), request.tasks, request.first),
            data_sha256=found.sha256,
            code_version=code_version(),
            machine=machine(),
            model=measured.name,
            model_sha256=measured.sha256,
            server=measured.server,
        )


def _tasks(mode: Mode, found: ClipSet) -> tuple[str, ...]:
    """Return the tasks of a mode; a text to be said is one that ``synthesize`` says to its end."""
    if mode is Mode.TURNS:
        return (TURNS_TASK,)
    if mode is Mode.TTS:
        return tuple(clip.id for clip in found.clips if len(clip.text) <= MAX_CHARS)
    return found.tasks()
