"""What OpenAI-compatible servers send and refuse beside the protocol, as public bug reports tell, and its right value.

A source is a project and the number of an issue or pull request.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from activities.error_codes import ErrorCode
from tests.support.model_server import Answering, Cut, Script, chunk, end, event

ANSWER = "Hello there. How are you?"
DONE = "data: [DONE]\n\n"
WORDS = ("Hello", " there.", " How", " are", " you?")
JSON = "application/json"


@dataclass(frozen=True)
class Fault:
    """One fault, and what is right."""

    source: str
    plays: Answering
    answer: str = ANSWER
    """Empty where it has to fail."""
    thoughts: int = 0
    """Characters of thoughts that are kept apart."""
    cut: bool = False
    code: ErrorCode | None = None
    """How it fails."""
    final: bool = False
    """Whether that is not retried."""
    requests: int = 1
    """Most requests until the answer; the same question again takes one."""


def sse(*values: object, after: str = DONE) -> Script:
    """Script a stream of events."""
    return Script(pieces=[*(value if isinstance(value, str) else event(value) for value in values), after])


def chunks(deltas: Iterable[Any], reason: Any = "stop", **more: object) -> list[dict[str, Any]]:  # noqa: ANN401
    """Make chunks of deltas, and one with a finish reason."""
    each = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more} for delta in deltas]
    return [*each, {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **more}]


def spoken(words: Iterable[str] = WORDS) -> list[dict[str, Any]]:
    """Make an answer's deltas."""
    return [{"content": word} for word in words]


def framed(frame: Callable[[str], str]) -> Script:
    """Script the plain answer, each event of it in another frame."""
    lines = [json.dumps(value) for value in chunks(spoken())]
    return Script(pieces=[frame(line) for line in [*lines, "[DONE]"]])


def whole(message: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    """Make a completion that is not streamed."""
    usage = {"prompt_tokens": 7, "completion_tokens": 5}
    return {"object": "chat.completion", "choices": [{"message": message, "finish_reason": reason}], "usage": usage}


def body(value: object, status: int = 200, kind: str = JSON) -> Script:
    """Script an answer that is no stream."""
    return Script(status=status, body=value if isinstance(value, str) else json.dumps(value), content_type=kind)


def in_bytes(text: str, size: int) -> Script:
    """Script the answer in blocks of some bytes, so that characters and line ends are cut."""
    stream = "".join(event(value) for value in chunks(spoken([text]))) + DONE
    data = json.loads(json.dumps(stream)).replace(json.dumps(text)[1:-1], text).encode()
    return Script(pieces=[data[start : start + size] for start in range(0, len(data), size)])


def refusing(field: str, status: int, refusal: object, then: Script | None = None) -> Answering:
    """Refuse requests that have a field; answer the others."""

    def choose(request: dict[str, Any]) -> Script:
        return body(refusal, status) if field in request else then or sse(*chunks(spoken()))

    return choose


def error(message: str, kind: str = "invalid_request_error", code: object = None, **more: object) -> dict[str, Any]:
    """Make an error as OpenAI words it."""
    return {"error": {"message": message, "type": kind, "code": code, **more}}


def extra_forbidden(*path: str) -> dict[str, Any]:
    """Make pydantic's refusal of a field."""
    return {"type": "extra_forbidden", "loc": ["body", *path], "msg": "Extra inputs are not permitted", "input": True}


def without_roles(status: int, refusal: object) -> Answering:
    """Refuse a prompt with a system role, as templates without one do."""

    def choose(request: dict[str, Any]) -> Script:
        roles = [message["role"] for message in request["messages"]]
        return body(refusal, status) if "system" in roles else sse(*chunks(spoken()))

    return choose


def longer_than(chars: int, status: int, refusal: object) -> Answering:
    """Refuse prompts of more characters."""

    def choose(request: dict[str, Any]) -> Script:
        size = sum(len(message["content"]) for message in request["messages"])
        return body(refusal, status) if size > chars else sse(*chunks(spoken()))

    return choose


_PLAIN = chunks(spoken())
_UNAVAILABLE = ErrorCode.MODEL_UNAVAILABLE
_USAGE = {"prompt_tokens": 7, "completion_tokens": 5}

FRAMES = {
    "comment-after-id": Fault(
        "openai-python #2722, llmgateway 2334",
        Script(pieces=["id: 1\n" + chunk(content="Hello there."), ": ping\n\n", chunk(content=" How are you?"), end()]),
    ),
    "retry-alone": Fault("openai-python #3833", sse("retry: 3000\n\n", *_PLAIN)),
    "empty-data": Fault("omnigent #1474", sse(*_PLAIN[:2], "data:\n\n", "data: \n\n", *_PLAIN[2:])),
    "event-without-data": Fault("llmgateway 2334", sse("event: ping\n\n", *_PLAIN)),
    "ping-with-data": Fault("llmgateway 2334", sse("event: ping\ndata: {}\n\n", *_PLAIN)),
    "comments": Fault("dive 206 (OpenRouter)", sse(": OPENROUTER PROCESSING\n\n" * 3, *_PLAIN)),
    "comment-as-data": Fault("llm-gateway #2053", sse("data: : OPENROUTER PROCESSING\n\n", *_PLAIN)),
    "no-blank": Fault("openai-python #498, Clawith 106", framed(lambda line: f"data:{line}\n\n")),
    "crlf": Fault("hey-api #3054, inference-perf 781", framed(lambda line: f"data: {line}\r\n\r\n")),
    "carriage-returns": Fault("inference-perf 781", framed(lambda line: f"data: {line}\r\r")),
    "one-line-end": Fault("proxies that save a line", framed(lambda line: f"data: {line}\n")),
    "byte-order-mark": Fault("the standard's 9.2.6", Script(pieces=[b"\xef\xbb\xbf", *map(event, _PLAIN), DONE])),
    "characters-in-bytes": Fault(
        "LiteLLM #18842, sim #3068", in_bytes("नमस्ते 👩‍👩‍👧 你好.", 1), answer="नमस्ते 👩‍👩‍👧 你好."
    ),
    "line-separator-in-text": Fault(
        "U+2028 ends no line of the protocol", in_bytes("One.\u2028Two\x85three.", 7), answer="One.\u2028Two\x85three."
    ),
    "no-done": Fault("proxies that close early", sse(*_PLAIN, after="")),
    "done-alone": Fault("proxies that drop the last chunk", sse(*_PLAIN[:-1])),
    "json-instead-of-a-stream": Fault("LiteLLM 27045", body(whole({"content": ANSWER}))),
    "json-as-a-stream": Fault(
        "9router #3492", body(json.dumps(whole({"content": ANSWER})) + "\n\n" + DONE, kind="text/event-stream")
    ),
    "stream-as-json": Fault("LiteLLM 27045", body("".join(map(event, _PLAIN)) + DONE)),
    "stream-as-text": Fault(
        "proxies that forget the type", body("".join(map(event, _PLAIN)) + DONE, kind="text/plain")
    ),
    "html": Fault("captive portals", body("<html>Log in</html>", kind="text/html"), "", code=_UNAVAILABLE),
    "nothing": Fault("preloop #109", body("", kind="text/event-stream"), "", code=_UNAVAILABLE),
    "broken-off": Fault("a server that dies", Script(pieces=[*map(event, _PLAIN[:2]), Cut()]), "", code=_UNAVAILABLE),
}
"""How events are framed."""

ERRORS = {
    "error-as-text": Fault("rocketmq-dashboard #2178", sse({"error": "quota exceeded"}), "", code=_UNAVAILABLE),
    "error-with-a-word-as-code": Fault(
        "LiteLLM #40578", sse(error("queue full", code="rate_limit_exceeded")), "", code=_UNAVAILABLE
    ),
    "error-beside-choices": Fault(
        "OmniRoute 8210", sse({"choices": [], **error("worker limit reached", code=502)}), "", code=_UNAVAILABLE
    ),
    "error-in-a-choice": Fault(
        "OpenRouter's page of errors",
        sse(*_PLAIN[:2], {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502}}]}),
        "",
        code=_UNAVAILABLE,
    ),
    "error-event": Fault(
        "octos #13", sse('event: error\ndata: {"message": "lost"}\n\n', after=""), "", code=_UNAVAILABLE
    ),
    "error-with-200": Fault("OpenRouter", body(error("overloaded", code=503)), "", code=_UNAVAILABLE),
    "refusal-with-200": Fault(
        "OpenRouter", body(error("no credits", code=402)), "", code=ErrorCode.MODEL_REFUSED, final=True
    ),
    "error-is-text": Fault(
        "vLLM 0.32", body({"error": "Unauthorized"}, 401), "", code=ErrorCode.MODEL_REFUSED, final=True
    ),
    "aborted": Fault("vLLM's abort", sse(*chunks([], "abort")), "", code=_UNAVAILABLE),
}
"""Errors within what looks like an answer."""

CHUNKS = {
    "empty-choices-first": Fault(
        "semantic-kernel #3650 (Azure)", sse({"choices": [], "prompt_filter_results": []}, *_PLAIN)
    ),
    "no-usage": Fault("openai-python, vLLM", sse(*chunks(spoken(), usage=None))),
    "usage-in-each": Fault("vLLM's continuous usage", sse(*chunks(spoken(), usage=_USAGE))),
    "null-delta": Fault("llm-rosetta #356", sse({"choices": [{"delta": None}]}, "data: null\n\n", *_PLAIN)),
    "null-choices": Fault("pydantic-ai #164", sse({"choices": None}, {"choices": [None]}, *_PLAIN)),
    "parts": Fault(
        "LiteLLM #16272 (Magistral)",
        sse(
            *chunks(
                [
                    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hmm."}]}]},
                    {"content": [{"type": "text", "text": "Hello there."}]},
                    {"content": " How are you?"},
                ]
            )
        ),
        thoughts=4,
    ),
    "reasoning-details": Fault(
        "fastllm #61 (OpenRouter)",
        sse(
            *chunks(
                [
                    {
                        "content": "",
                        "reasoning": "Hm.",
                        "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}],
                    },
                    {"reasoning_details": [{"type": "reasoning.text", "text": "So."}]},
                    *spoken(),
                ]
            )
        ),
        thoughts=6,
    ),
    "summaries-of-thoughts": Fault(
        "OpenRouter's reasoning.summary",
        sse(*chunks([{"reasoning_details": [{"type": "reasoning.summary", "summary": "Hm."}]}, *spoken()])),
        thoughts=3,
    ),
    "empty-content-beside-thoughts": Fault(
        "Qwen-Agent #789 (Ollama)", sse(*chunks([{"content": "", "reasoning": "Hm."}, *spoken()])), thoughts=3
    ),
    "both-names-of-thoughts": Fault(
        "vLLM, for older clients",
        sse(*chunks([{"reasoning": "Hm.", "reasoning_content": "Hm."}, *spoken()])),
        thoughts=3,
    ),
    "message-instead-of-delta": Fault(
        "hermes-browser-extension #11", sse({"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}]})
    ),
    "text-instead-of-delta": Fault(
        "llama-cpp-python's completions", sse({"choices": [{"text": ANSWER, "finish_reason": "stop"}]})
    ),
    "all-of-it-again-at-the-end": Fault(
        "Rapid-MLX #1709, ragflow 15443",
        sse(*_PLAIN[:-1], {"choices": [{"delta": {"content": ANSWER}, "finish_reason": "stop"}]}),
    ),
    "all-of-it-again-before-the-end": Fault("ragflow 15443", sse(*_PLAIN[:-1], *chunks([{"content": ANSWER}]))),
    "message-after-deltas": Fault(
        "hermes-browser-extension #11",
        sse(*_PLAIN[:-1], {"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}]}),
    ),
    "message-beside-deltas": Fault(
        "hermes-browser-extension #11",
        sse(*_PLAIN[:-1], {"choices": [{"delta": {}, "message": {"content": ANSWER}, "finish_reason": "stop"}]}),
    ),
    "second-choice": Fault(
        "n choices of proxies",
        sse({"choices": [{"index": 1, "delta": {"content": "Another."}}]}, *_PLAIN),
    ),
    "eos": Fault("ragas #1548 (Together)", sse(*chunks(spoken(), "eos"))),
    "eos-token": Fault("text-generation-inference 2344", sse(*chunks(spoken(), "eos_token"))),
    "end-turn": Fault("spring-ai 4900", sse(*chunks(spoken(), "end_turn"))),
    "reason-is-no-text": Fault("dstack 2229", sse(*chunks(spoken(), 1))),
    "empty-reason": Fault("dstack 2229 (SGLang)", sse(*chunks(spoken(), ""))),
    "cut-by-another-name": Fault(
        "Mistral's model_length", sse(*chunks(spoken(), "model_length")), f"{ANSWER} …", cut=True
    ),
    "cut-in-capitals": Fault("Gemini's MAX_TOKENS", sse(*chunks(spoken(), "MAX_TOKENS")), f"{ANSWER} …", cut=True),
    "refusal": Fault("OpenAI's delta.refusal", sse(*chunks([{"refusal": word} for word in WORDS]))),
    "half-a-character-at-the-end": Fault(
        "mlc-llm 1142", sse(*chunks(spoken([*WORDS, " \ufffd"]), "length")), f"{ANSWER} …", cut=True
    ),
    "filtered": Fault(
        "Azure's content_filter", sse(*chunks([], "content_filter")), "", code=ErrorCode.MODEL_EMPTY, final=True
    ),
    "says-it-twice": Fault("a model that means it", sse(*chunks(spoken(["No. ", "No. "]))), "No. No."),
}
"""What is in the chunks."""

MARKS = {
    "end-mark": Fault("LiteLLM #3757 (TGI)", sse(*chunks(spoken([*WORDS, "<|im_end|>"])))),
    "end-mark-in-pieces": Fault("LiteLLM #3757 (TGI)", sse(*chunks(spoken([*WORDS, "<|im", "_e", "nd|>"])))),
    "eos-first": Fault("hass_local_openai_llm #63 (oMLX)", sse(*chunks(spoken(["<eos>", *WORDS])))),
    "sentence-end": Fault("DeepSeek's own marks", sse(*chunks(spoken([*WORDS, "<｜end▁of▁sentence｜>"])))),  # noqa: RUF001
    "eot": Fault("Llama 3's mark", sse(*chunks(spoken([*WORDS, "<|eot_id|>"])))),
    "gemma-turn": Fault("Gemma's marks", sse(*chunks(spoken([*WORDS, "<end_of_turn>\n", "<start_of_turn>user\n"])))),
    "closing-tag-after-thoughts": Fault(
        "vllm #39697, #55195", sse(*chunks([{"reasoning": "Hm."}, {"content": "</think>\n\n"}, *spoken()])), thoughts=3
    ),
    "minimax-thoughts": Fault(
        "vllm #45687, #46042", sse(*chunks(spoken(["<mm:think>", "Hm.", "</mm:think>", *WORDS]))), thoughts=3
    ),
    "mistral-thoughts": Fault("vllm 45609", sse(*chunks(spoken(["[THINK]Hm.", "[/TH", "INK]", *WORDS]))), thoughts=3),
    "kimi-thoughts": Fault("Kimi-VL's tags", sse(*chunks(spoken(["◁think▷Hm.", "◁/think▷", *WORDS]))), thoughts=3),
    "seed-thoughts": Fault(
        "Seed-OSS's tags", sse(*chunks(spoken(["<seed:think>Hm.", "</seed:think>", *WORDS]))), thoughts=3
    ),
    "harmony": Fault(
        "vllm #32587",
        sse(
            *chunks(
                spoken(
                    [
                        "<|channel|>analysis<|message|>Hm.",
                        "<|end|><|start|>assistant<|chan",
                        "nel|>final<|message|>",
                        *WORDS,
                        "<|return|>",
                    ]
                )
            )
        ),
        thoughts=3,
    ),
    "harmony-without-marks": Fault(
        "llama.cpp #15731", sse(*chunks(spoken(["analysis", "Hm.", "assistant", "final", *WORDS]))), thoughts=3
    ),
    "hunyuan": Fault(
        "vLLM's hunyuan_a13b parser",
        sse(*chunks(spoken(["<think>", "Hm.", "</think>\n<answer>\n", *WORDS, "\n</ans", "wer>"]))),
        thoughts=3,
    ),
    "ernie": Fault(
        "vLLM's ernie45 parser",
        sse(*chunks(spoken(["<think>Hm.</think>\n\n", "<response>\n", *WORDS, "\n</response>\n"]))),
        thoughts=3,
    ),
    "k2-horizon": Fault(
        "vLLM's k2_horizon parser", sse(*chunks(spoken(["<ifm|think>", "Hm.", "</ifm|think>", *WORDS]))), thoughts=3
    ),
    "kimi-k3": Fault(
        "vLLM's kimi_k3 parser",
        sse(
            *chunks(
                spoken(
                    [
                        *("<|open|>think<|sep|>", "Hm.", "<|close|>think<|sep|>"),
                        *("<|open|>response<|sep|>", *WORDS, "<|close|>response<|sep|>"),
                    ]
                )
            )
        ),
        thoughts=3,
    ),
    "minimax-tool": Fault(
        "vLLM's minimax_m2 parser",
        sse(*chunks(spoken([*WORDS, "<minimax:tool_call>", '<invoke name="x"></invoke></minimax:tool_call>']))),
    ),
    "deepseek-tool": Fault(
        "vLLM's deepseek_v32 parser",
        sse(*chunks(spoken([*WORDS, "<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>"]))),  # noqa: RUF001
    ),
    "longcat-tool": Fault(
        "vLLM's longcat parser", sse(*chunks(spoken([*WORDS, "<longcat_tool_call>{}", "</longcat_tool_call>"])))
    ),
    "gemma-tool": Fault(
        "vLLM's functiongemma parser",
        sse(*chunks(spoken([*WORDS, "<start_function_call>", "call:x{}<end_function_call>"]))),
    ),
    "llama-4-tool": Fault(
        "vLLM's llama4_pythonic parser", sse(*chunks(spoken([*WORDS, "<|python_start|>", "[x()]<|python_end|>"])))
    ),
    "internlm-tool": Fault(
        "vLLM's internlm parser",
        sse(*chunks(spoken([*WORDS, "<|action_start|><|plugin|>", '{"name": "x"}<|action_end|>']))),
    ),
    "gemma-channel": Fault(
        "ollama 17566", sse(*chunks(spoken(["<|channel>thought\n", "Hm.", "<channel|>", *WORDS]))), thoughts=3
    ),
}
"""Marks of templates in the text."""

_FIELDS = {
    "mistral-options": Fault(
        "avante.nvim #2347",
        refusing(
            "stream_options",
            422,
            {"object": "error", "message": {"detail": [extra_forbidden("stream_options", "include_usage")]}},
        ),
        requests=2,
    ),
    "fastapi-options": Fault(
        "gpustack #429", refusing("stream_options", 422, {"detail": [extra_forbidden("stream_options")]}), requests=2
    ),
    "fireworks-options": Fault(
        "Flowise #2866",
        refusing("stream_options", 400, error("Extra inputs are not permitted, field: 'stream_options'")),
        requests=2,
    ),
    "groq-options": Fault(
        "vercel/ai 1578",
        refusing("stream_options", 400, error("property 'stream_options' is unsupported, did you mean 'stream'?")),
        requests=2,
    ),
    "azure-options": Fault(
        "Azure",
        refusing("stream_options", 400, error("Unrecognized request argument supplied: stream_options")),
        requests=2,
    ),
    "newer-limit": Fault(
        "OpenAI's o-series and GPT-5",
        refusing(
            "max_tokens",
            400,
            error(
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                code="unsupported_parameter",
                param="max_tokens",
            ),
        ),
        requests=2,
    ),
    "fixed-temperature": Fault(
        "OpenHands #4131, qwen-code #921",
        refusing(
            "temperature",
            400,
            error(
                "Unsupported value: 'temperature' does not support 0.3 with this model. "
                "Only the default (1) value is supported.",
                code="unsupported_value",
                param="temperature",
            ),
        ),
        requests=2,
    ),
}

_ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/..."
_ROLES = {
    "gemma-system": Fault("llama.cpp, Gemma", without_roles(400, error("System role not supported")), requests=2),
    "system-refused-as-500": Fault(
        "opencode #5034 (llama.cpp)",
        without_roles(
            500,
            error("Only user, assistant and tool roles are supported, got system. at row 99, column 16", code=500),
        ),
        requests=2,
    ),
    "vllm-alternate": Fault(
        "autogen #1037, vllm #6862",
        without_roles(400, {"object": "error", "message": _ALTERNATE, "type": "BadRequestError", "code": 400}),
        requests=2,
    ),
    "tgi-template": Fault(
        "anon-kode #60 (TGI)",
        without_roles(
            422, {"error": f"Template error: invalid operation: {_ALTERNATE}", "error_type": "template_error"}
        ),
        requests=2,
    ),
    "o1-mini-system": Fault(
        "OpenAI's o1-mini",
        without_roles(
            400,
            error(
                "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                param="messages[0].role",
            ),
        ),
        requests=2,
    ),
}

REQUESTS = _FIELDS | _ROLES
"""Refusals that asking in another way mends."""

TOO_LONG = {
    "llama.cpp": (
        7000,
        400,
        {
            "error": {
                "code": 400,
                "message": "request (6331 tokens) exceeds the available context size (4096 tokens), try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 6331,
                "n_ctx": 4096,
            }
        },
    ),
    "llama.cpp-as-500": (
        7000,
        500,
        error("the request exceeds the available context size. try increasing it", code=500),
    ),
    "vllm": (
        8000,
        400,
        error(
            "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input "
            "tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input "
            "prompt. (parameter=input_tokens, value=2049)",
            "BadRequestError",
            400,
            param="input_tokens",
        ),
    ),
    "sglang": (
        7700,
        400,
        error(
            "Requested token count exceeds the model's maximum context length of 2048 tokens. You requested a total of "
            "3000 tokens: 2600 tokens from the input messages and 400 tokens for the completion."
        ),
    ),
    "sglang-input": (
        2700,
        400,
        error("The input (8505 tokens) is longer than the model's context length (2048 tokens)."),
    ),
    "lm-studio": (
        1450,
        400,
        {
            "error": "Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded "
            "with context length of only 2048 tokens, which is not enough."
        },
    ),
    "lm-studio-n-keep": (1550, 400, {"error": "Cannot truncate prompt with n_keep (15028) >= n_ctx (2048)"}),
    "tgi": (
        5900,
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 3900 `inputs` "
            "tokens and 400 `max_new_tokens`",
            "error_type": "validation",
        },
    ),
    "tgi-inputs": (
        5900,
        422,
        {
            "error": "Input validation error: `inputs` must have less than 2048 tokens. Given: 3900",
            "error_type": "validation",
        },
    ),
    "openai": (
        7700,
        400,
        error(
            "This model's maximum context length is 2048 tokens. However, your messages resulted in 3000 tokens. "
            "Please reduce the length of the messages.",
            code="context_length_exceeded",
            param="messages",
        ),
    ),
    "openrouter": (
        7700,
        400,
        error(
            "This endpoint's maximum context length is 2048 tokens. However, you requested about 3000 tokens "
            "(2600 of text input, 400 in the output). Please reduce the length of either one."
        ),
    ),
    "mistral": (
        7700,
        400,
        {
            "object": "error",
            "message": "Prompt contains 3000 tokens and 0 draft tokens, too large for model with 2048 maximum "
            "context length",
            "type": "invalid_request_prompt_error",
        },
    ),
    "gemini": (
        7700,
        400,
        error(
            "The input token count (3000) exceeds the maximum number of tokens allowed (2048).", "INVALID_ARGUMENT", 400
        ),
    ),
    "anthropic": (7700, 400, error("prompt is too long: 3000 tokens > 2048 maximum")),
    "groq": (
        7700,
        413,
        error(
            "Request too large for model `llama-3.1-8b-instant` on tokens per minute (TPM): Limit 2048, Requested 3000",
            "tokens",
            "rate_limit_exceeded",
        ),
    ),
    "ollama": (7700, 400, error("the prompt is too long: 3000, model maximum context length: 2048")),
}
"""How servers refuse a prompt that is too long: how many characters they take, by their own figures; status; body."""
