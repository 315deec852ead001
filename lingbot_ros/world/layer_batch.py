"""N worlds of rigid layers in step: one motion and one drawing for all of them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.model.rigid_layers.motion import advance
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import Bodies
from lingbot_ros.world import assembly
from lingbot_ros.world.batch import Batch
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.rollout import to_targets
from lingbot_ros.world.session import Session
from lingbot_ros.world.world import World


class LayerBatch(Batch):
    """A `Batch` whose rows are sessions of rigid layers. Rows do not depend on one another."""

    def __init__(self, world: World, size: int) -> None:
        """Every row must be started before it is stepped. Raises InputError."""
        if size < 1:
            raise InputError("size", size, "give 1 or more")
        assert isinstance(world.model, LayerModel)
        self.size, self._world, self._loaded, self._layers = size, world, world.model, world.model
        self.ended: dict[int, LingbotError] = {}
        self._sessions: list[Session | None] = [None] * size

    @torch.inference_mode()
    def _imagine(self, living: Mapping[int, Session], inputs: Mapping[int, ChunkInputs]) -> dict[int, Tensor]:
        sessions = [session for row in inputs if isinstance(session := living[row], LayerSession)]
        if not sessions:
            return {}
        card, constants = self._loaded.card, self._layers.constants
        states = [session.state for session in sessions]
        actions = torch.cat([chunk.controls["actions"][0, :, 0] for chunk in inputs.values()])
        bodies = Bodies(
            **{name: torch.cat([getattr(state.bodies, name) for state in states]) for name in vars(states[0].bodies)}
        )
        bodies = advance(constants, bodies, to_targets(actions, (card.width, card.height)))
        textures, background = (torch.cat([getattr(s, name) for s in states]) for name in ("textures", "background"))
        pictures = render(constants, bodies.poses, textures, background) / 127.5 - 1
        for index, session in enumerate(sessions):
            session.move(Bodies(**{name: tensor[index : index + 1] for name, tensor in vars(bodies).items()}))
        return {row: pictures[index][None, :, None] for index, row in enumerate(inputs)}

    def _seat(self, row: int, seed: int) -> Session:
        control = assembly.new_control(self._loaded.card, self._loaded.device)
        session = LayerSession(self._layers, self._world, f"row-{row}", "", seed, control)
        self._sessions[row] = session
        self.ended.pop(row, None)
        return session


Batch.kinds[LayerModel] = LayerBatch
