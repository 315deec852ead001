"""All that a world of rigid layers remembers, as tensors of fixed size: copying them copies the world."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lingbot_ros.model.rigid_layers.config import RigidLayersConfig


@dataclass(frozen=True)
class Bodies:
    """What moves, and what motion depends on; B worlds, K layers, the first `config.driven` of which obey the action.

    poses [B, K, 3]: x, y in pixels of the frame, turn in radians; velocities [B, K, 2] in pixels per frame;
    solids [B, K, V, 2]: physical outlines in the layers' frames; centres [B, K, 2]: what they turn about.
    Layers lie above one another in reverse order: the first is on top.
    """

    poses: Tensor
    velocities: Tensor
    solids: Tensor
    centres: Tensor

    def expand(self, size: int) -> "Bodies":
        """One world [1, ...] as `size` rows that share memory until they move."""
        return Bodies(
            **{f.name: getattr(self, f.name).expand(size, *getattr(self, f.name).shape[1:]) for f in fields(self)}
        )


@dataclass(frozen=True)
class Variants:
    """M copies of each of B worlds, read a little otherwise from the same images; see `rigid_layers.variants`.

    poses [B, M, K, 3], solids [B, M, K, V, 2], centres [B, M, K, 2] as in `Bodies`. spread_px [B]: the farthest that
    the copies were from their world since the last real image, root mean square over them, a turn counting as what it
    does at the distance of the gyration; infinite when that image was not understood.
    """

    poses: Tensor
    solids: Tensor
    centres: Tensor
    spread_px: Tensor

    def expand(self, size: int) -> "Variants":
        """Those of one world [1, ...] as `size` rows that share memory until they move."""
        return Variants(
            **{f.name: getattr(self, f.name).expand(size, *getattr(self, f.name).shape[1:]) for f in fields(self)}
        )


@dataclass(frozen=True)
class LayerState:
    """One world that was seen (B = 1), or a stack of them.

    doubt [B, K, 2, 2]: covariance of a driven layer's position and velocity; outlines [B, K, V, 2] as drawn;
    textures uint8 [B, K, t, t, 4]: colour, and how deep inside the outline, see `drawing.draw`, with paint
    [B, K, 4, t, t] = the summed colours and weights they come from; background uint8 [B, H, W, 3] with seen [B, H, W];
    sights uint8 [B, S, K, H, W]: shares of the layers in the real frames kept for fitting, with their poses
    [B, S, K, 3]; sight_count int64 [B].
    """

    bodies: Bodies
    variants: Variants
    doubt: Tensor
    outlines: Tensor
    textures: Tensor
    paint: Tensor
    background: Tensor
    seen: Tensor
    sights: Tensor
    sight_poses: Tensor
    sight_count: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """By name, for a snapshot."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("bodies", "variants")}
        variants = {f"variant_{f.name}": getattr(self.variants, f.name) for f in fields(Variants)}
        return own | variants | {f.name: getattr(self.bodies, f.name) for f in fields(Bodies)}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "LayerState":
        """The inverse of `tensors`."""
        bodies = Bodies(**{f.name: tensors[f.name] for f in fields(Bodies)})
        variants = Variants(**{f.name: tensors[f"variant_{f.name}"] for f in fields(Variants)})
        own = {f.name: tensors[f.name] for f in fields(cls) if f.name not in ("bodies", "variants")}
        return cls(bodies=bodies, variants=variants, **own)

    @classmethod
    def empty(cls, config: RigidLayersConfig, height: int, width: int) -> "LayerState":
        """A world in which nothing has been seen."""
        layers, corners, side, kept = config.layers, config.corners, config.texture_side, config.sights
        copies = config.variants
        bodies = Bodies(
            torch.zeros(1, layers, 3),
            torch.zeros(1, layers, 2),
            torch.zeros(1, layers, corners, 2),
            torch.zeros(1, layers, 2),
        )
        variants = Variants(
            torch.zeros(1, copies, layers, 3),
            torch.zeros(1, copies, layers, corners, 2),
            torch.zeros(1, copies, layers, 2),
            torch.zeros(1),
        )
        return cls(
            bodies=bodies,
            variants=variants,
            doubt=torch.zeros(1, layers, 2, 2),
            outlines=torch.zeros(1, layers, corners, 2),
            textures=torch.zeros(1, layers, side, side, 4, dtype=torch.uint8),
            paint=torch.zeros(1, layers, 4, side, side),
            background=torch.zeros(1, height, width, 3, dtype=torch.uint8),
            seen=torch.zeros(1, height, width, dtype=torch.bool),
            sights=torch.zeros(1, kept, layers, height, width, dtype=torch.uint8),
            sight_poses=torch.zeros(1, kept, layers, 3),
            sight_count=torch.zeros(1, dtype=torch.int64),
        )

    def moved(self, bodies: Bodies, variants: Variants) -> "LayerState":
        """The same world with its bodies and their variants elsewhere."""
        other = object.__new__(LayerState)  # as `replace`, at a third of the price: a batch does it for every row
        vars(other).update(vars(self), bodies=bodies, variants=variants)
        return other

    @classmethod
    def stack(cls, states: "list[LayerState]") -> "LayerState":
        """Worlds of one row each as one of many."""
        rows = [state.tensors() for state in states]
        return cls.of({name: torch.cat([row[name] for row in rows]) for name in rows[0]})

    def row(self, index: int) -> "LayerState":
        """World number `index` alone."""
        return LayerState.of({name: tensor[index : index + 1] for name, tensor in self.tensors().items()})
