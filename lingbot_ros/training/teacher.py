"""A world model as the teacher of another, usually smaller or with fewer steps."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from lingbot_ros.errors import InputError
from lingbot_ros.model.attention import Attend, CachedAttention
from lingbot_ros.model.autoencoder import PixelAutoencoder
from lingbot_ros.model.cache import KVCache, zero_caches
from lingbot_ros.model.config import ActionControlConfig
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.sampler import FewStepSampler, Predict
from lingbot_ros.model.transformer import StepInputs
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.pool import Batch
from lingbot_ros.training.training_data import TrainingData
from lingbot_ros.world import World


class Teacher:
    """Targets from another world model, which sees what the student sees: the same pasts, true or imagined.

    It runs as one of its sessions would, chunk by chunk with its own sampler and cache, only that every frame's past
    is the batch's and not what it imagined itself.
    """

    def __init__(self, world: World, config: TrainConfig, data: TrainingData) -> None:
        """Raises InputError that names what of the teacher does not fit the student or the data."""
        self._share = config.distill.teacher_share
        if not 0 < self._share <= 1:
            raise InputError("distill.teacher_share", self._share, "give more than 0 and at most 1")
        require_teachable(world, config, data)
        network = world.model.networks[0]
        self._loaded, self._model, self._shape = world.model, network.model, network.shape

    def __call__(self, batch: Batch) -> Sequence[tuple[float, Batch]]:
        taught = replace(batch, target=self.imagine(batch))
        return ((self._share, taught), (1 - self._share, batch)) if self._share < 1 else ((1.0, taught),)

    @torch.no_grad()
    def imagine(self, batch: Batch) -> Tensor:
        """The teacher's clean frames for every past and action of a batch, float32 [B, 3, L, H, W]."""
        shape, device, sampler = self._shape, self._loaded.device, self._loaded.sampler
        assert isinstance(sampler, FewStepSampler)
        chunk, clips, frames = shape.stream.chunk, batch.target.shape[0], batch.target.shape[2]
        cache = self._new_cache(clips)
        control = shape.transformer.control
        assert isinstance(control, ActionControlConfig)
        condition = batch.condition[:, : shape.transformer.condition_channels].to(device)
        actions = batch.actions[:, :, : control.history].to(device)
        noise_shape = (clips, *shape.latent_shape(shape.transformer.latent_channels)[1:])
        parts = []
        for first in range(0, frames, chunk):
            seen = slice(first, first + chunk)
            predict = self._forward(cache, condition[:, :, seen], actions[:, seen], first)
            latents = sampler.sample(predict, lambda _: torch.randn(noise_shape, device=device))
            if sampler.config.commit:
                predict(latents, 0.0)
            cache.commit()
            parts.append(latents)
        return torch.cat(parts, dim=2)

    def _forward(self, cache: KVCache, condition: Tensor, actions: Tensor, first: int) -> Predict:
        """Begin a chunk; returns what the sampler calls, which writes the chunk's slots of the cache."""
        shape, device = self._shape, self._loaded.device
        slot = cache.begin()
        positions = torch.arange(first, first + shape.stream.chunk)
        cos, sin = (t.to(device) for t in rope_tables(positions, shape.rows, shape.columns, shape.transformer.head_dim))
        control = self._model.encode_actions(actions, shape.rows, shape.columns)
        write, length = slot.write * shape.tokens_per_frame, slot.length * shape.tokens_per_frame
        attends: list[Attend] = [
            CachedAttention(k, v, write, length) for k, v in zip(cache.keys, cache.values, strict=True)
        ]

        def predict(latent: Tensor | None, timestep: float) -> Tensor:
            times = torch.full((len(actions), shape.stream.chunk), timestep, device=device)
            time = self._model.embed_time(times, control.frame)
            return self._model.predict(StepInputs(latent, condition, time, cos, sin, control), attends)

        return predict

    def _new_cache(self, clips: int) -> KVCache:
        shape = self._shape
        _, heads, slots, head_dim = shape.cache_shape
        layers = shape.transformer.num_layers
        block = zero_caches(layers, heads, slots, head_dim, shape.dtype, self._loaded.device, clips)
        return KVCache(block, self._loaded.ring, shape.tokens_per_frame)


def require_teachable(world: World, config: TrainConfig, data: TrainingData) -> None:
    """Raise InputError unless the teacher takes the data's images and actions and gives the student's latents."""
    name, info, architecture = world.info.name, world.info, world.card.transformer
    if info.control.kind != "action" or not isinstance(world.model.autoencoder, PixelAutoencoder):
        raise InputError("teacher", name, "choose an action model on pixels")
    if not isinstance(world.model.sampler, FewStepSampler) or architecture.text is not None:
        raise InputError("teacher", name, "choose a model without text and with a few-step sampler")
    student = config.transformer
    assert isinstance(architecture.control, ActionControlConfig)
    height, width = data.background.shape[:2]
    required = (
        ("control.dim", info.control.dim, data.control.dim, "data"),
        ("control.low", info.control.low, data.control.low, "data"),
        ("control.high", info.control.high, data.control.high, "data"),
        ("fps", info.fps, data.fps, "data"),
        ("image size", (info.height, info.width), (height, width), "data"),
        ("latent_channels", architecture.latent_channels, student.latent_channels, "student"),
    )
    for what, theirs, needed, whose in required:
        if theirs != needed:
            fix = f"that of the {whose} is {needed}; choose a teacher with the same, or change the {whose}"
            raise InputError(f"teacher {name}: {what}", theirs, fix)
    if architecture.condition_channels > 2 * student.latent_channels or architecture.control.history > 2:
        raise InputError("teacher", name, "it uses more than two previous frames; choose another")
    if config.rollout.clip_frames % world.card.stream.chunk:
        fix = f"the teacher imagines {world.card.stream.chunk} frames at once; give a multiple"
        raise InputError("rollout.clip_frames", config.rollout.clip_frames, fix)
