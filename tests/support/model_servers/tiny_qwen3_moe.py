"""Make a Qwen3-MoE of 400,000 random weights, with a tokenizer of its own: of a big model's class, and noise.

Run by a Python that has torch, transformers and tokenizers: ``tiny_qwen3_moe.py TEXTS.json TEMPLATE FOLDER``.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3MoeConfig, Qwen3MoeForCausalLM

CONTEXT_TOKENS = 4096
VOCABULARY = 2040
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
SEED = 12


def make_tokenizer(texts: list[str], template: str) -> PreTrainedTokenizerFast:
    """Train byte-pair encoding on some texts; the tags of thoughts and calls are a token each, as Qwen3's are."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=list(SPECIAL), initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=SPECIAL[2], pad_token=SPECIAL[0], model_max_length=CONTEXT_TOKENS
    )
    fast.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    fast.chat_template = template
    return fast


def make_model(tokenizer: PreTrainedTokenizerFast) -> Qwen3MoeForCausalLM:
    """Draw the weights."""
    torch.manual_seed(SEED)
    config = Qwen3MoeConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        moe_intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        num_experts=4,
        num_experts_per_tok=2,
        max_position_embeddings=CONTEXT_TOKENS,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    return Qwen3MoeForCausalLM(config).to(torch.bfloat16)


if __name__ == "__main__":
    texts, template, folder = map(Path, sys.argv[1:])
    made = make_tokenizer(json.loads(texts.read_text()), template.read_text())
    made.save_pretrained(folder)
    make_model(made).save_pretrained(folder)
