"""Rows of a batch whose model is made of rigid layers: one motion and one drawing for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TypeVar, cast

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

_Rows = TypeVar("_Rows", Bodies, Variants)


class LayerRows:
    """See `batch.Rows`. Textures change only when a row starts or observes; until then they are kept side by side."""

    def __init__(self, model: LayerModel, registry: SessionRegistry, size: int) -> None:
        self._model, self._registry = model, registry
        empty = LayerState.empty(model.constants.config, model.card.height, model.card.width)
        self._textures = empty.textures.repeat(size, 1, 1, 1, 1)
        self._background = empty.background.repeat(size, 1, 1, 1)
        self._outlines = empty.outlines.repeat(size, 1, 1, 1)
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
        bodies, variants = _stacked(living)
        bodies, variants = advance_all(constants, bodies, variants, to_targets(actions, (card.width, card.height)))
        rows = list(living)
        everything = rows == list(range(len(self._copied)))
        looks = (t if everything else t[rows] for t in (self._outlines, self._textures, self._background))
        frames = render(constants, bodies.poses, *looks).numpy()
        for place, (row, session) in enumerate(living.items()):
            moved = session.layers.moved(_row(bodies, place), _row(variants, place))
            session.commit_layers(inputs[row], moved)
        return {row: frames[place][None] for place, row in enumerate(rows)}

    def _copy(self, row: int, state: LayerState) -> None:
        if self._copied[row] is not state.textures:
            self._textures[row], self._background[row] = state.textures[0], state.background[0]
            self._outlines[row] = state.outlines[0]
            self._copied[row] = state.textures


def _stacked(sessions: Mapping[int, LayerSession]) -> tuple[Bodies, Variants]:
    states = [session.layers for session in sessions.values()]
    return _together([state.bodies for state in states]), _together([state.variants for state in states])


def _together(rows: Sequence[_Rows]) -> _Rows:
    kind = type(rows[0])
    return kind(**{f.name: torch.cat([getattr(one, f.name) for one in rows]) for f in fields(kind)})


def _row(rows: _Rows, place: int) -> _Rows:
    return type(rows)(**{f.name: getattr(rows, f.name)[place : place + 1] for f in fields(rows)})
