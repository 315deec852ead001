"""A tiny UMT5 encoder with random weights and a tokenizer of whole words, saved as transformers saves them."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

WIDTH = 16
WORDS = ["<pad>", "</s>", "<unk>", "a", "red", "house", "in", "the", "rain", "night", "falls", "&", "snow"]


def write_tiny_text(folder: Path, seed: int = 0) -> UMT5EncoderModel:
    """Write `folder/text_encoder` and `folder/tokenizer`; returns the encoder."""
    torch.manual_seed(seed)
    config = UMT5Config(
        vocab_size=len(WORDS), d_model=WIDTH, d_ff=24, d_kv=8, num_heads=2, num_layers=2, dropout_rate=0.0
    )
    network = UMT5EncoderModel(config).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3)
    network.save_pretrained(folder / "text_encoder")
    words = Tokenizer(WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    fast.save_pretrained(folder / "tokenizer")
    return network
