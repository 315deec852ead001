"""N imagined worlds in step: one forward imagines the next chunk of all of them."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from lingbot_ros.control.actions import ActionControl
from lingbot_ros.errors import EngineError, ErrorCode, InputError, SessionError
from lingbot_ros.model.attention import Attend
from lingbot_ros.model.autoencoder import Frames, PixelAutoencoder, check_image
from lingbot_ros.model.cache import zero_caches
from lingbot_ros.model.noise import chunk_noise
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.sampler import FewStepSampler
from lingbot_ros.world.assembly import new_condition
from lingbot_ros.world.layer_batch import LayerBatch
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.world import World


class Batch:
    """`size` rows that live like sessions of the same world, for action models on pixels without text.

    All rows share one clock and one ring of cache slots. A row that starts anew while the others go on sees nothing
    older than itself: keys carry rotary positions, of which attention knows differences only, so that a late start is
    as good as a start at 0. No fork, no snapshot: these are `Session`'s. Used by one thread at a time.
    """

    def __new__(cls, world: World, size: int) -> "Batch | LayerBatch":  # type: ignore[misc]
        """Rows of what the world is made of."""
        return LayerBatch(world.model, size) if isinstance(world.model, LayerModel) else super().__new__(cls)

    def __init__(self, world: World, size: int) -> None:
        """Every row must be `start`ed before the first step. Raises InputError and EngineError."""
        if size < 1:
            raise InputError("size", size, "give 1 or more")
        loaded = world.model
        if not isinstance(loaded.autoencoder, PixelAutoencoder) or not isinstance(loaded.sampler, FewStepSampler):
            raise EngineError(f"batch: {world.card.name} is no small action model; step its sessions one by one")
        if loaded.ring.sink:
            raise EngineError(f"batch: {world.card.name} has an attention sink, whose place a late row cannot take")
        self.size, self._loaded = size, loaded
        network = loaded.networks[0]
        self._shape, self._model = network.shape, network.model
        shape = self._shape
        _, heads, slots, head_dim = shape.cache_shape
        layers = shape.transformer.num_layers
        caches = zero_caches(2 * layers * size, heads, slots, head_dim, shape.dtype, loaded.device)
        rows = [torch.cat(caches[first : first + size]) for first in range(0, len(caches), size)]
        self._keys, self._values = rows[:layers], rows[layers:]
        self._chunk = 0
        self._begun: list[int | None] = [None] * size  # the chunk that was each row's first
        self._seeds = [0] * size
        self._controls = [self._new_control() for _ in range(size)]
        self._conditions = [new_condition(loaded.card, loaded.autoencoder) for _ in range(size)]

    @property
    def frames_per_chunk(self) -> int:
        """How many frames a step makes of every row, and how many controls it takes."""
        return self._loaded.card.stream.chunk

    def start(self, row: int, image: Frames, seed: int = 0) -> Frames:
        """Begin row number `row` anew at a picture uint8 [h, w, 3] RGB; returns it as the model sees it, [H, W, 3]."""
        if not 0 <= row < self.size:
            raise InputError("row", row, f"give 0 to {self.size - 1}")
        if not 0 <= seed < 2**64:
            raise InputError("seed", seed, "give an integer from 0 to 2^64 - 1")
        card, autoencoder = self._loaded.card, self._loaded.autoencoder
        fitted = autoencoder.fit(check_image(image), card.height, card.width)
        self._conditions[row].start(fitted)
        self._controls[row] = self._new_control()
        self._begun[row], self._seeds[row] = self._chunk, seed
        return autoencoder.decode(fitted, autoencoder.start())[0][0]

    @torch.inference_mode()
    def step(self, controls: ArrayLike) -> Frames:
        """Imagine one chunk of every row: controls [size, frames_per_chunk, dim] -> uint8 [size, n, H, W, 3] RGB.

        A step that raises leaves the rows as they were. Raises InputError for controls that a session would refuse,
        naming the row, and SessionError while a row has not been started.
        """
        begun = self._first_chunks()
        encoded = self._encode(controls)
        device, shape = self._loaded.device, self._shape
        slot = self._loaded.ring.slot(self._chunk)
        actions = torch.cat([row["actions"] for row in encoded]).to(device)
        control = self._model.encode_actions(actions, shape.rows, shape.columns)
        first = self._chunk * shape.stream.chunk
        positions = torch.arange(first, first + shape.stream.chunk)
        cos, sin = (t.to(device) for t in rope_tables(positions, shape.rows, shape.columns, shape.transformer.head_dim))
        condition = torch.cat([row.chunk() for row in self._conditions]).to(device)
        mask = self._visible(begun).to(device)
        write, length = slot.write * shape.tokens_per_frame, slot.length * shape.tokens_per_frame
        attends: list[Attend] = [
            _RowAttention(k, v, write, length, mask) for k, v in zip(self._keys, self._values, strict=True)
        ]

        def predict(latent: Tensor, timestep: float) -> Tensor:
            time = torch.full((self.size, shape.stream.chunk), timestep, device=device)
            return self._model.predict(latent, condition, time, cos, sin, control, (), attends)

        sampler = self._loaded.sampler
        assert isinstance(sampler, FewStepSampler)
        latents = sampler.sample(predict, self._noise)
        if sampler.config.commit:
            predict(latents, 0.0)
        autoencoder = self._loaded.autoencoder
        frames = [autoencoder.decode(latents[row : row + 1], autoencoder.start())[0] for row in range(self.size)]
        for row in range(self.size):
            self._controls[row].commit(encoded[row])
            self._conditions[row].commit(latents[row : row + 1])
        self._chunk += 1
        return np.stack(frames)

    def _new_control(self) -> ActionControl:
        config = self._loaded.card.transformer.control
        if self._loaded.card.control.kind != "action" or not hasattr(config, "history"):
            raise EngineError(f"batch: {self._loaded.card.name} is not driven by actions; step its sessions one by one")
        return ActionControl(self._loaded.card.control, config.history)  # type: ignore[union-attr]

    def _first_chunks(self) -> list[int]:
        missing = [row for row, chunk in enumerate(self._begun) if chunk is None]
        if missing:
            raise SessionError(f"batch: row {missing[0]} was never started; start every row", ErrorCode.NOT_ACTIVE)
        return [chunk for chunk in self._begun if chunk is not None]

    def _encode(self, controls: ArrayLike) -> Sequence[dict[str, Tensor]]:
        values = np.asarray(controls, np.float64)
        expected = (self.size, self.frames_per_chunk, self._loaded.card.control.dim)
        if values.shape != expected:
            raise InputError("controls", f"shape {list(values.shape)}", f"give {list(expected)}")
        encoded = []
        for row, mine in enumerate(values):
            try:
                encoded.append(self._controls[row].encode(mine, self.frames_per_chunk))
            except InputError as error:
                raise InputError(f"row {row}: {error.field}", error.value, error.fix) from error
        return encoded

    def _visible(self, begun: Sequence[int]) -> Tensor:
        """Which cache tokens each row may see: bool [size, 1, 1, tokens of the valid prefix]."""
        ring, chunk = self._loaded.ring, self._loaded.ring.chunk
        owner = torch.zeros(ring.slot(self._chunk).length, dtype=torch.long)
        for index in range(max(0, self._chunk - ring.window // chunk + 1), self._chunk + 1):
            write = ring.slot(index).write
            owner[write : write + chunk] = index
        sees = owner[None, :] >= torch.tensor(begun)[:, None]
        return sees.repeat_interleave(self._shape.tokens_per_frame, 1)[:, None, None]

    def _noise(self, draw: int) -> Tensor:
        shape = self._shape.latent_shape(self._shape.transformer.latent_channels)
        ages = [self._chunk - first for first in self._first_chunks()]
        rows = [chunk_noise(seed, age, draw, shape) for seed, age in zip(self._seeds, ages, strict=True)]
        return torch.cat(rows).to(self._loaded.device)


class _RowAttention:
    """Write all rows' keys and values into the same slots, then let every row see what is its own."""

    def __init__(self, keys: Tensor, values: Tensor, write: int, length: int, mask: Tensor) -> None:
        self._keys, self._values, self._write, self._length, self._mask = keys, values, write, length, mask

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        self._keys.narrow(2, self._write, k.shape[2]).copy_(k)
        self._values.narrow(2, self._write, v.shape[2]).copy_(v)
        keys, values = self._keys.narrow(2, 0, self._length), self._values.narrow(2, 0, self._length)
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=self._mask)
