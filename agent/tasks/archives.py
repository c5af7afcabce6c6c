"""Text files of a tar archive, in memory."""

import io
import tarfile

from agent.tasks.task import Files


def files_of(data: bytes) -> Files:
    """Return the regular files of a tar archive that is not compressed, by path.

    Raises:
        ValueError: it is none, or a file is no UTF-8.

    """
    found: Files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content:
                    found[member.name.removeprefix("./")] = content.read().decode()
    except tarfile.TarError as error:
        raise ValueError(f"this is no tar archive: {error}") from error
    return found
