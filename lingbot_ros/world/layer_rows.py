"""Rows of a batch whose model is made of rigid layers: one motion and one drawing for all of them."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.control.actions import are_in_range, encode_together
from lingbot_ros.control.camera import Lens
from lingbot_ros.errors import InputError
from lingbot_ros.model.autoencoder import Frames
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import Bodies, LayerState, Variants
from lingbot_ros.model.rigid_layers.variants import advance_all
from lingbot_ros.world.assembly import new_control
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.rollout import to_targets
from lingbot_ros.world.rows import read_each
from lingbot_ros.world.session import Session, SessionRegistry

_KEPT = ("outlines", "textures", "background", "solids", "centres", "variant_solids", "variant_centres")
"""What changes only when a row starts or observes."""


class LayerRows:
    """See `rows.Rows`. What seldom changes is kept side by side until then."""

    def __init__(self, model: LayerModel, registry: SessionRegistry, size: int) -> None:
        self._model, self._registry = model, registry
        empty = LayerState.empty(model.constants.config, model.card.height, model.card.width)
        self._kept = {name: torch.cat([empty.tensors()[name]] * size) for name in _KEPT}
        self._copied: list[Tensor | None] = [None] * size  # the row's own textures, as they were copied last

    def new_session(self, row: int, seed: int, lens: Lens | None) -> LayerSession:
        control = new_control(self._model.card, self._model.device, lens)
        return LayerSession(self._model, self._registry, f"row-{row}", "", seed, control)

    def read(
        self, sessions: Mapping[int, Session], controls: NDArray[np.float64]
    ) -> tuple[dict[int, ChunkInputs], dict[int, InputError]]:
        if not are_in_range(controls[list(sessions)], self._model.card.control).all():
            return read_each(sessions, controls)
        mine = cast(Mapping[int, LayerSession], sessions)
        encoded = encode_together([session.actions for session in mine.values()], controls[list(mine)])
        each = zip(mine.items(), encoded.split(1), strict=True)
        return {row: session.given({"actions": actions}) for (row, session), actions in each}, {}

    @torch.inference_mode()
    def imagine(self, sessions: Mapping[int, Session], inputs: Mapping[int, ChunkInputs]) -> Frames:
        mine = cast(Mapping[int, LayerSession], sessions)
        living = {row: mine[row] for row in inputs}
        for row, session in living.items():
            self._copy(row, session.layers)
        actions = torch.cat([chunk.controls["actions"] for chunk in inputs.values()])[:, 0, 0]
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
            before, copies_before = session.layers.bodies, session.layers.variants
            after = Bodies(poses, velocities, before.solids, before.centres)
            after_copies = Variants(copies, copies_before.solids, copies_before.centres, spread_px)
            session.commit_layers(inputs[row], session.layers.moved(after, after_copies))
        return frames[:, None]

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
