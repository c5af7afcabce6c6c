"""Fetch every file of a folder with one FetchActivity, as a worker does; print what came of each, and what it took.

A program of its own, so that its peak of memory (and that of its decoding children) is the fetches' alone.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

import psutil
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audio.decoder import Decoder
from activities.blobs import BlobStore
from activities.fetch import FetchActivity, FetchRequest
from activities.platforms.file import FilePlatform
from activities.values import AudioSource


async def _fetch(activity: FetchActivity, path: Path) -> dict[str, object]:
    request = FetchRequest(platform="file", chat="1", source=AudioSource(locator=str(path)))
    before = _processor_seconds()
    code, seconds = None, 0.0
    try:
        seconds = (await ActivityEnvironment().run(activity.fetch, request)).audio.seconds
    except ApplicationError as error:
        code = error.type
    return {"name": path.name, "code": code, "seconds": seconds, "took": _processor_seconds() - before}


def _processor_seconds() -> float:
    """Read what this process and its decoders have computed: that is the same however busy the machine is."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = [process.cpu_times() for process in (psutil.Process(), *psutil.Process().children())]
    return ended.ru_utime + ended.ru_stime + sum(times.user + times.system for times in living)


def _peak_mb(pid: int) -> float:
    """Read a process's peak of resident memory, in megabytes; ``getrusage`` would count its parent's before exec."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024


def _peaks() -> dict[int, float]:
    """Read the peaks of this process and its children."""
    me = psutil.Process()
    return {process.pid: _peak_mb(process.pid) for process in [me, *me.children()]}


async def _main(folder: Path, paths: list[Path], max_bytes: int) -> None:
    blobs, decoder = BlobStore.open("memory://"), Decoder()
    activity = FetchActivity(FilePlatform(folder, (folder,), blobs), blobs, max_bytes, 600, decoder)
    await _fetch(activity, paths[-1])
    before = _peaks()
    files = [await _fetch(activity, path) for path in paths]
    grown = {pid: peak - before.get(pid, 0) for pid, peak in _peaks().items()}
    decoder.close()
    print(json.dumps({"files": files, "grown_mb": list(grown.values())}))  # noqa: T201


if __name__ == "__main__":
    root = Path(sys.argv[1])
    asyncio.run(_main(root, sorted(root.iterdir()), int(sys.argv[2])))
