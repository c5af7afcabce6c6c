"""Commands of the documentation, as somebody types them."""

import asyncio
import os
from pathlib import Path


async def run(command: str, cwd: Path, variables: dict[str, str]) -> tuple[int, str]:
    """Run a command; give its exit code, and all that it printed."""
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=cwd,
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()
