"""The embedded language model's server: llama.cpp's own, on loopback (``python -m workers.engines.llama_server``)."""

import logging
import os
import signal
import sys
from pathlib import Path

from xllamacpp import CommonParams, Server

from workers.errors import ExitCode, JuneError
from workers.models.catalogue import find
from workers.settings import EmbeddedSettings, LlmSettings, StorageSettings

SLOTS = 2
"""Answers at the same time; each has a context of its own."""
BATCH_TOKENS = 128
"""Read at once. The server can neither stop within a batch nor begin another's answer: 2,048 by default, a prompt."""
WARNINGS = 2
"""llama.cpp's verbosity: its own information is some lines a request."""

_log = logging.getLogger(__name__)


def parameters(model: Path, settings: LlmSettings, server: EmbeddedSettings) -> CommonParams:
    """Return llama.cpp's parameters for serving ``model``."""
    params = CommonParams()
    params.model.path = str(model)
    params.model_alias = {settings.model}
    params.hostnames, params.port = [server.llm_host], server.llm_port
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * settings.context_tokens
    params.n_batch = BATCH_TOKENS
    params.n_gpu_layers = settings.gpu_layers
    cores = len(os.sched_getaffinity(0))
    # A core is left for speech, which overlaps the writing; the prompt is read before there is any.
    params.cpuparams.n_threads = settings.threads or max(1, cores - 1)
    params.cpuparams_batch.n_threads = settings.threads or cores
    if key := settings.api_key.get_secret_value():
        params.api_keys = [key]
    params.use_jinja = True
    params.cache_prompt = True
    # The slots' own contexts are the cache; a second one in memory (8 GiB by default) would grow with every chat.
    params.cache_ram_mib = 0
    params.ui = False
    # By default any web page in a browser on this machine could use it.
    params.cors_origins = f"http://{server.llm_host}:{server.llm_port}"
    params.offline = True
    params.verbosity = WARNINGS
    return params


def serve() -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # before llama.cpp's threads, which inherit it
    settings = LlmSettings()
    model = find(settings.model, StorageSettings().models)
    server = Server(parameters(model, settings, EmbeddedSettings()))
    _log.info("%s serves %s", server.listening_address, settings.model)
    signal.sigwait(stops)


def main() -> int:
    """Serve; expected errors become one sentence on stderr."""
    logging.basicConfig(level=logging.INFO)
    try:
        serve()
    except JuneError as error:
        sys.stderr.write(f"june: {error}\n")
        return error.exit_code
    return ExitCode.OK


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # llama.cpp's threads hold nothing that needs an orderly end, and may wait for a long answer's
