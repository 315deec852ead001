"""Rows of a batch whose model remembers scenes: each renders its own, and the network looks at all holes at once."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.control.camera import Lens
from lingbot_ros.errors import InputError
from lingbot_ros.model.autoencoder import Frames
from lingbot_ros.model.scene.scene import imagine_together
from lingbot_ros.world.assembly import new_control
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.rows import read_each
from lingbot_ros.world.scene_model import SceneModel
from lingbot_ros.world.scene_session import SceneSession
from lingbot_ros.world.session import Session, SessionRegistry


class SceneRows:
    """See `rows.Rows`."""

    def __init__(self, model: SceneModel, registry: SessionRegistry) -> None:
        self._model, self._registry = model, registry

    def new_session(self, row: int, seed: int, lens: Lens | None) -> SceneSession:
        control = new_control(self._model.card, self._model.device, lens)
        return SceneSession(self._model, self._registry, f"row-{row}", "", seed, control)

    def read(
        self, sessions: Mapping[int, Session], controls: NDArray[np.float64]
    ) -> tuple[dict[int, ChunkInputs], dict[int, InputError]]:
        return read_each(sessions, controls)

    @torch.inference_mode()
    def imagine(self, sessions: Mapping[int, Session], inputs: Mapping[int, ChunkInputs]) -> Frames:
        living = {row: cast(SceneSession, sessions[row]) for row in inputs}
        making = [session.imagining(inputs[row]) for row, session in living.items()]
        outcomes = imagine_together(making, next(iter(living.values())).scene.painter)
        for (row, session), outcome in zip(living.items(), outcomes, strict=True):
            session.commit_outcome(inputs[row], outcome)
        return np.stack([outcome.frame[None] for outcome in outcomes])
