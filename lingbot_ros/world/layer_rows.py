"""Rows of a batch whose model is made of rigid layers: one motion and one drawing for all of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import torch

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


class LayerRows:
    """See `batch.Rows`. What changes only when a row starts or observes is kept side by side until then."""

    def __init__(self, model: LayerModel, registry: SessionRegistry, size: int) -> None:
        self._model, self._registry = model, registry
        empty = LayerState.empty(model.constants.config, model.card.height, model.card.width)
        self._kept = LayerState.stack([empty] * size)
        self._copied: list[LayerState | None] = [None] * size  # the row's own state, as it was copied last

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
        bodies = replace(
            kept.bodies,
            poses=torch.cat([state.bodies.poses for state in states]),
            velocities=torch.cat([state.bodies.velocities for state in states]),
        )
        variants = replace(
            kept.variants,
            poses=torch.cat([state.variants.poses for state in states]),
            spread_px=torch.cat([state.variants.spread_px for state in states]),
        )
        bodies, variants = advance_all(constants, bodies, variants, to_targets(actions, (card.width, card.height)))
        frames = render(constants, bodies.poses, kept.outlines, kept.textures, kept.background).numpy()
        moved = (bodies.poses, bodies.velocities, variants.poses, variants.spread_px)
        each = zip(*(tensor.split(1) for tensor in moved), strict=True)
        for (row, session), (poses, velocities, copies, spread_px) in zip(living.items(), each, strict=True):
            mine, theirs = session.layers.bodies, session.layers.variants
            after = session.layers.moved(
                Bodies(poses, velocities, mine.solids, mine.centres),
                Variants(copies, theirs.solids, theirs.centres, spread_px),
            )
            self._copied[row] = after
            session.commit_layers(inputs[row], after)
        return {row: frames[place][None] for place, row in enumerate(living)}

    def _copy(self, row: int, state: LayerState) -> None:
        """Unless the row is the one that was moved here last."""
        if self._copied[row] is not state:
            for kept, own in zip(self._kept.tensors().values(), state.tensors().values(), strict=True):
                kept[row] = own[0]

    def _of(self, rows: list[int]) -> LayerState:
        if rows == list(range(len(self._copied))):
            return self._kept
        return LayerState.of({name: tensor[rows] for name, tensor in self._kept.tensors().items()})
