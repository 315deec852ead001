"""Rows of a batch whose model is made of rigid layers: one motion and one drawing for all of them."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor

from lingbot_ros.control.camera import Lens
from lingbot_ros.model.autoencoder import Frames
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import Bodies, LayerState, Variants
from lingbot_ros.model.rigid_layers.variants import advance_all
from lingbot_ros.world.assembly import new_control
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.rollout import to_targets
from lingbot_ros.world.session import Session, SessionRegistry

_KEPT = ("outlines", "textures", "background", "solids", "centres", "variant_solids", "variant_centres")
"""What changes only when a row starts or observes."""


class LayerRows:
    """See `batch.Rows`. What seldom changes is kept side by side until then."""

    def __init__(self, model: LayerModel, registry: SessionRegistry, size: int) -> None:
        self._model, self._registry = model, registry
        empty = LayerState.empty(model.constants.config, model.card.height, model.card.width)
        self._kept = {name: torch.cat([empty.tensors()[name]] * size) for name in _KEPT}
        self._copied: list[Tensor | None] = [None] * size  # the row's own textures, as they were copied last

    def new_session(self, row: int, seed: int, lens: Lens | None) -> LayerSession:
        control = new_control(self._model.card, self._model.device, lens)
        return LayerSession(self._model, self._registry, f"row-{row}", "", seed, control)

    @torch.inference_mode()
    def imagine(self, sessions: Mapping[int, Session], inputs: Mapping[int, ChunkInputs]) -> dict[int, Frames]:
        living = {row: cast(LayerSession, sessions[row]) for row in inputs}
        for row, session in living.items():
            self._copy(row, session.layers)
        actions = torch.cat([chunk.controls["actions"][:, 0, 0] for chunk in inputs.values()])
        card, constants = self._model.card, self._model.constants
        kept, states = self._of(list(living)), [session.layers for session in living.values()]
        bodies = Bodies(
            torch.cat([state.bodies.poses for state in states]),
            torch.cat([state.bodies.velocities for state in states]),
            kept["solids"],
            kept["centres"],
        )
        variants = Variants(
            torch.cat([state.variants.poses for state in states]),
            kept["variant_solids"],
            kept["variant_centres"],
            torch.cat([state.variants.spread_px for state in states]),
        )
        bodies, variants = advance_all(constants, bodies, variants, to_targets(actions, (card.width, card.height)))
        frames = render(constants, bodies.poses, kept["outlines"], kept["textures"], kept["background"]).numpy()
        moved = (bodies.poses, bodies.velocities, variants.poses, variants.spread_px)
        each = zip(*(tensor.split(1) for tensor in moved), strict=True)
        for (row, session), (poses, velocities, copies, spread_px) in zip(living.items(), each, strict=True):
            mine, theirs = session.layers.bodies, session.layers.variants
            after = Bodies(poses, velocities, mine.solids, mine.centres)
            after_copies = Variants(copies, theirs.solids, theirs.centres, spread_px)
            session.commit_layers(inputs[row], session.layers.moved(after, after_copies))
        return {row: frames[place][None] for place, row in enumerate(living)}

    def _copy(self, row: int, state: LayerState) -> None:
        if self._copied[row] is not state.textures:
            own = state.tensors()
            for name, tensor in self._kept.items():
                tensor[row] = own[name][0]
            self._copied[row] = state.textures

    def _of(self, rows: list[int]) -> dict[str, Tensor]:
        if rows == list(range(len(self._copied))):
            return self._kept
        return {name: tensor[rows] for name, tensor in self._kept.items()}
