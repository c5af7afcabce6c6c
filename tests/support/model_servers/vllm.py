"""vLLM on the CPU, with a tiny random Qwen3-MoE that thinks; it lives in an environment of its own."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.model_servers.running import ModelServer, started
from tests.support.ports import free_port
from workers.ports import LOOPBACK
from workers.settings import PROJECT

VARIABLE = "JUNE_CONFORMANCE_VLLM"
"""Names the Python that has vLLM."""
KEY = "sk-of-the-vllm-tests"
MODEL = "tiny-qwen3-moe"
WINDOW = 2048
START_SECONDS = 600.0
GENERATOR = Path(__file__).with_name("tiny_qwen3_moe.py")
TEMPLATE = Path(__file__).with_name("thinking_tools.jinja")
"""Thinks as ``thinking.jinja`` does, and tells of tools and calls as Qwen3's does."""


@asynccontextmanager
async def vllm(python: str, folder: Path) -> AsyncIterator[ModelServer]:
    """Make the model, and serve it with the parsers with which Qwen3-30B-A3B-Thinking is served."""
    await _generate(python, folder)
    port = free_port()
    options = ["--host", LOOPBACK, "--port", str(port), "--served-model-name", MODEL, "--api-key", KEY]
    options += ["--max-model-len", str(WINDOW), "--max-num-seqs", "4", "--enforce-eager", "--reasoning-parser", "qwen3"]
    options += ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), *options]
    settings = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}

    server = ModelServer(f"http://{LOOPBACK}:{port}/v1", MODEL, KEY, WINDOW, thinks=True)
    async with started(server, command, os.environ | settings, START_SECONDS):
        yield server


async def _generate(python: str, folder: Path) -> None:
    texts = _save_texts(folder)
    process = await asyncio.create_subprocess_exec(python, str(GENERATOR), str(texts), str(TEMPLATE), str(folder))
    if await process.wait():
        raise ChildProcessError(f"{python} could not make the model")


def _save_texts(folder: Path) -> Path:
    """Save what the tokenizer is trained on: june's documentation."""
    file = folder / "texts.json"
    file.write_text(json.dumps([path.read_text() for path in sorted((PROJECT / "docs").glob("*.md"))]))
    return file
