"""Faults as they are done: to real processes, files and servers, and undone after their time."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from workers.bench.faults import bot_api, disk, model_server
from workers.bench.faults.bot_api import BotApi
from workers.bench.faults.june import June, kill
from workers.bench.faults.model import ModelServer
from workers.bench.faults.plan import Fault, Kind
from workers.local.programs import TEMPORAL

FIND_SECONDS = 20.0
"""A process that is being started again is waited for."""
FIND_AGAIN_SECONDS = 0.05

Log = Callable[[str], None]


class Injection:
    """Does faults to one june and what is around it."""

    def __init__(self, june: June, model: ModelServer, api: BotApi, chance: random.Random, log: Log) -> None:
        """Do faults to these; ``chance`` chooses where there are several of a kind."""
        self.done: Counter[Kind] = Counter()
        self._june = june
        self._model = model
        self._api = api
        self._chance = chance
        self._log = log
        self._blobs = disk.Blobs(june.home / "blobs")

    async def run(self, faults: Sequence[Fault]) -> None:
        """Do one after the other."""
        for fault in faults:
            await asyncio.sleep(fault.after)
            if await self._do(fault):
                self.done[fault.kind] += 1

    async def _do(self, fault: Fault) -> bool:
        """Do a fault; return whether there was anything to do it to."""
        kind, lasts = fault.kind, f" for {fault.seconds:.1f} s" if fault.seconds else ""
        self._log(f"{kind.value}{lasts}")
        match kind:
            case Kind.KILL_JUNE:
                await self._june.kill()
                await self._june.start()
            case Kind.RESTART_JUNE:
                await self._june.stop()
                await self._june.start()
            case Kind.RESTART_TEMPORAL:
                return await self._signal(TEMPORAL, signal.SIGTERM)
            case Kind.KILL_DECODER:
                decoders = self._june.decoders()
                return bool(decoders) and kill(self._chance.choice(decoders))
            case Kind.KILL_MODEL:
                await self._model.kill()
                await asyncio.sleep(fault.seconds)
                await self._model.start()
            case Kind.MODEL_HANGS:
                await self._model_hangs(fault.seconds)
            case Kind.MODEL_REFUSES | Kind.MODEL_BREAKS_OFF:
                mode = model_server.Mode(kind.value.removeprefix("model server ").replace(" ", "-"))
                await self._model.set_mode(mode)
                await asyncio.sleep(fault.seconds)
                await self._model.set_mode(model_server.Mode.WELL)
            case Kind.BLOBS_GONE:
                self._blobs.take_away()
                await asyncio.sleep(fault.seconds)
                self._blobs.put_back()
            case Kind.DISK_FULL:
                await self._disk_full(self._june.home, fault.seconds)
            case Kind.FREEZE_GPU | Kind.FREEZE_TELEGRAM:
                return await self._freeze(kind.program, fault.seconds)
            case _ if kind in PLATFORM_MODES:
                self._api.mode = PLATFORM_MODES[kind]
                await asyncio.sleep(fault.seconds)
                self._api.mode = bot_api.Mode.WELL
            case _:
                return await self._signal(kind.program, signal.SIGKILL)
        return True

    async def _signal(self, program: str, number: signal.Signals) -> bool:
        pid = await self._found(program)
        self._june.look()
        return pid is not None and kill(pid, number)

    async def _found(self, program: str) -> int | None:
        """Return the process id of a program, once it is there."""
        for _ in range(int(FIND_SECONDS / FIND_AGAIN_SECONDS)):
            if pid := self._june.pid(program):
                return pid
            await asyncio.sleep(FIND_AGAIN_SECONDS)
        self._log(f"{program} is not there")
        return None

    async def _freeze(self, program: str, seconds: float) -> bool:
        """Stop a process for a while, which then goes on as if nothing had been."""
        pid = await self._found(program)
        if pid is None or not kill(pid, signal.SIGSTOP):
            return False
        await asyncio.sleep(seconds)
        kill(pid, signal.SIGCONT)
        return True

    async def _model_hangs(self, seconds: float) -> None:
        self._model.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._model.signal(signal.SIGCONT)

    async def _disk_full(self, home: Path, seconds: float) -> None:
        """Fill the disk, and keep it full: what is freed meanwhile is taken as well."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await asyncio.to_thread(disk.fill, home)
            await asyncio.sleep(FIND_AGAIN_SECONDS)
        disk.empty(home)


PLATFORM_MODES = {
    Kind.PLATFORM_WAIT: bot_api.Mode.WAIT,
    Kind.PLATFORM_FAILS: bot_api.Mode.FAILS,
    Kind.PLATFORM_AWAY: bot_api.Mode.AWAY,
    Kind.PLATFORM_SILENT: bot_api.Mode.SILENT,
}
