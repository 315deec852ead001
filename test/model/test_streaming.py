"""Streaming with the cache equals one full pass under a block-causal mask (model_spec 7.1 step 8)."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from lingbot_ros.model.attention import Attend, CachedAttention, MaskedAttention, block_causal_mask
from lingbot_ros.model.cache import KVCache, zero_caches
from lingbot_ros.model.config import ActionControlConfig, RayControlConfig, TextConfig, TransformerConfig
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.transformer import CausalWorldTransformer, ControlEmbedding, StepInputs
from test.support.tiny_model import LAYERS, MOTION, random_transformer

RAYS = TransformerConfig(
    dim=96,
    ffn_dim=64,
    num_layers=3,
    num_heads=2,
    latent_channels=4,
    condition_channels=3,
    freq_dim=32,
    text=TextConfig(10, 6),
    control=RayControlConfig(channels=6, fold=2),
)
ACTIONS = TransformerConfig(
    dim=96,
    ffn_dim=64,
    num_layers=3,
    num_heads=2,
    latent_channels=4,
    condition_channels=3,
    freq_dim=32,
    control=ActionControlConfig(dim=3, history=1),
)
RESIDUAL = replace(ACTIONS, condition_channels=4, prediction="residual")
CHUNKS = 9


class Inputs:
    """Random inputs of a whole sequence; `of(chunk)` cuts one chunk out."""

    def __init__(self, model: CausalWorldTransformer, ring: Ring, size: int) -> None:
        torch.manual_seed(1)
        config = model.config
        frames = CHUNKS * ring.chunk
        self.model, self.ring, self.size, self.frames = model, ring, size, frames
        self.rows = size // config.patch_size[1]
        self.latent = torch.randn(1, config.latent_channels, frames, size, size)
        self.condition = torch.randn(1, config.condition_channels, frames, size, size)
        self.timestep = torch.rand(1, frames) * 999
        self.text = model.encode_text(torch.randn(1, config.text.length, config.text.width)) if config.text else []
        control = config.control
        if isinstance(control, RayControlConfig):
            self.control = torch.randn(1, control.channels * control.fold**2, frames, size, size)
        elif isinstance(control, ActionControlConfig):
            self.control = torch.rand(1, frames, control.history, control.dim) * 2 - 1

    def predict(self, first: int, count: int, timestep: Tensor, attends: list[Attend]) -> Tensor:
        span = slice(first, first + count)
        if isinstance(self.model.config.control, RayControlConfig):
            control: ControlEmbedding = self.model.encode_rays(self.control[:, :, span])
        else:
            control = self.model.encode_actions(self.control[:, span], self.rows, self.rows)
        inputs = StepInputs(
            self.latent[:, :, span],
            self.condition[:, :, span],
            self.model.embed_time(timestep[:, span], control.frame),
            *rope_tables(torch.arange(first, first + count), self.rows, self.rows, self.model.config.head_dim),
            control,
            self.text,
        )
        return self.model.predict(inputs, attends)

    def full_pass(self, timestep: Tensor) -> Tensor:
        mask = block_causal_mask(self.ring, self.frames, self.rows**2)
        return self.predict(0, self.frames, timestep, [MaskedAttention(mask)] * self.model.config.num_layers)


def new_cache(inputs: Inputs) -> KVCache:
    config, tokens = inputs.model.config, inputs.rows**2
    slots = inputs.ring.window * tokens
    block = zero_caches(config.num_layers, config.num_heads, slots, config.head_dim, torch.float32, "cpu")
    return KVCache(block, inputs.ring, tokens)


def attends_of(cache: KVCache) -> list[Attend]:
    slot, tokens = cache.slot, cache.tokens_per_frame
    return [
        CachedAttention(k, v, slot.write * tokens, slot.length * tokens)
        for k, v in zip(cache.keys, cache.values, strict=True)
    ]


CASES = [
    pytest.param(RAYS, Ring(3, 9, 0), 8, id="rays c3 W9"),
    pytest.param(RAYS, Ring(4, 18, 6), 8, id="rays c4 W18 A6"),
    pytest.param(ACTIONS, Ring(1, 4, 1), 8, id="actions c1 W4 A1"),
    pytest.param(MOTION, Ring(1, 4, 0), 32, id="pixel motion c1 W4"),
    pytest.param(LAYERS, Ring(1, 4, 0), 32, id="rigid layers c1 W4"),
    pytest.param(RESIDUAL, Ring(2, 4, 0), 8, id="residual of latents c2 W4"),
]


@pytest.mark.parametrize(("config", "ring", "size"), CASES)
def test_last_step_in_the_cache(config: TransformerConfig, ring: Ring, size: int) -> None:
    """Models that cache what the denoising forward wrote: one pass over everything is the same computation."""
    inputs = Inputs(random_transformer(config), ring, size)
    reference = inputs.full_pass(inputs.timestep)
    cache = new_cache(inputs)
    for chunk in range(CHUNKS):
        cache.begin()
        streamed = inputs.predict(chunk * ring.chunk, ring.chunk, inputs.timestep, attends_of(cache))
        cache.commit()
        expected = reference[:, :, chunk * ring.chunk : (chunk + 1) * ring.chunk]
        assert (streamed - expected).abs().max() < 1e-4, f"chunk {chunk}"


@pytest.mark.parametrize(("config", "ring", "size"), CASES[:3])
def test_clean_commit_in_the_cache(config: TransformerConfig, ring: Ring, size: int) -> None:
    """Denoising over a cache of clean commits equals one pass over [clean past; noisy chunk], time 0 for the past.

    Two noisy forwards run before each commit: repeats must neither move the cursor nor leave traces.
    """
    inputs = Inputs(random_transformer(config), ring, size)
    clean = torch.zeros_like(inputs.timestep)
    cache = new_cache(inputs)
    for chunk in range(CHUNKS):
        first, end = chunk * ring.chunk, (chunk + 1) * ring.chunk
        cache.begin()
        inputs.predict(first, ring.chunk, torch.full_like(clean, 321.0), attends_of(cache))
        streamed = inputs.predict(first, ring.chunk, inputs.timestep, attends_of(cache))
        past_clean = clean.clone()
        past_clean[:, first:end] = inputs.timestep[:, first:end]
        expected = inputs.full_pass(past_clean)[:, :, first:end]
        assert (streamed - expected).abs().max() < 1e-4, f"chunk {chunk}"
        inputs.predict(first, ring.chunk, clean, attends_of(cache))
        cache.commit()


@pytest.mark.parametrize("setting", [(4, 18, 6), (3, 18, 9), (2, 9, 1)], ids=str)
def test_a_chunk_keeps_a_copy_of_at_most_its_own_slots(setting: tuple[int, int, int]) -> None:
    """It was two thirds of the cache at the first eviction of a sink that ends inside a chunk: 14.8 GB at 14B."""
    ring = Ring(*setting)
    block = zero_caches(2, 1, ring.window * 3, 2, torch.float32, "cpu")
    cache = KVCache(block, ring, 3)
    for _ in range(12):
        cache.begin()
        copied = sum(part.numel() for part in cache._lost)
        assert copied <= block[..., : ring.chunk * 3, :].numel()
        cache.commit()


def test_a_rolled_back_chunk_leaves_the_cache_as_it_was() -> None:
    inputs = Inputs(random_transformer(RAYS), Ring(4, 18, 6), 8)
    cache = new_cache(inputs)
    for chunk in range(CHUNKS):  # chunk 4 shifts, later ones overwrite
        before = [tensor[:, :, : cache.filled_tokens].clone() for tensor in (*cache.keys, *cache.values)]
        cache.begin()
        inputs.predict(chunk * 4, 4, inputs.timestep, attends_of(cache))
        cache.rollback()
        for tensor, saved in zip((*cache.keys, *cache.values), before, strict=True):
            assert torch.equal(tensor[:, :, : saved.shape[2]], saved), f"chunk {chunk}"
        cache.begin()
        inputs.predict(chunk * 4, 4, inputs.timestep, attends_of(cache))
        cache.commit()
