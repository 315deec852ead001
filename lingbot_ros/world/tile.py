"""Rows of a batch that go through one forward: their tensors side by side, and the graphs bound to all of them."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from lingbot_ros.engine.interface import Context
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.sampler import FewStepSampler
from lingbot_ros.model.unipc import UniPCSampler
from lingbot_ros.world.branch import Branch, ChunkInputs
from lingbot_ros.world.network import Network


class Tile:
    """`rows` places; a row's tensors are its part of the tile's, so that it can also be stepped alone."""

    def __init__(self, network: Network, ring: Ring, rows: int) -> None:
        self.rows, self._network, self._ring = rows, network, ring
        self._tensors = network.allocate_shared(rows) | network.allocate_own(rows)
        self._contexts: dict[str, Context] = {}
        self._branches = [self._branch(place) for place in range(rows)]

    def seat(self, place: int) -> Branch:
        """A new branch on the tensors of one place, for a row that begins anew."""
        self._branches[place] = self._branch(place)
        return self._branches[place]

    def imagine(
        self,
        chunks: Mapping[int, ChunkInputs],
        noises: Mapping[int, Callable[[int], Tensor]],
        sampler: FewStepSampler | UniPCSampler,
    ) -> Tensor:
        """Latents [rows, C, c, h, w] of a chunk of the places in `chunks`; the others' caches stay as they were.

        The caches of the former are between `begin` and `commit` afterwards, also when this raises.
        """
        try:
            for place, branch in enumerate(self._branches):
                slot = branch.cache.begin()
                if place in chunks:
                    branch.fill(chunks[place], slot)
                else:  # it goes through the forward with the others and writes where it would write next
                    branch.seat(slot)
            self._run("control")
            shape = self._network.shape.latent_shape(self._network.shape.transformer.latent_channels)

            def noise(draw: int) -> Tensor:
                rows = [noises[place](draw) if place in noises else torch.zeros(shape) for place in range(self.rows)]
                return torch.cat([row.to(rows[0].device) for row in rows])

            latents = sampler.sample(self._predict, noise)
            if sampler.config.commit:
                self._predict(latents, 0.0)
        finally:
            for place in range(self.rows):
                if place not in chunks:
                    self._branches[place].cache.rollback()
        return latents

    def _predict(self, latent: Tensor | None, timestep: float) -> Tensor:
        if latent is not None and "latent" in self._tensors:
            self._tensors["latent"].copy_(latent)
        self._tensors["timestep"].fill_(timestep)
        self._run("time")
        self._run("step")
        return self._tensors["prediction"]

    def _branch(self, place: int) -> Branch:
        row = slice(place, place + 1)
        parts = {name: tensor[row] for name, tensor in self._tensors.items() if name not in ("timestep", "caches")}
        parts |= {"timestep": self._tensors["timestep"], "caches": self._tensors["caches"][:, row]}
        return Branch(self._network, self._ring, parts)

    def _run(self, graph: str) -> None:
        context = self._contexts.get(graph)
        if context is None:
            context = self._contexts[graph] = self._network.programs(self.rows)[graph].context(self._tensors)
        context.run()


def tile_sizes(size: int, batches: Sequence[int] | None) -> list[int]:
    """How `size` rows are cut where one forward may have only so many of them; in one piece if any number will do."""
    if batches is None:
        return [size]
    sizes: list[int] = []
    for rows in sorted(batches, reverse=True):
        count, size = divmod(size, rows)
        sizes += [rows] * count
    return sizes
