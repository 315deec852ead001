"""N worlds of rigid layers in step: one motion and one drawing for all of them."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike

from lingbot_ros.control.actions import check_actions
from lingbot_ros.errors import ErrorCode, InputError, SessionError
from lingbot_ros.model.autoencoder import Frames, check_image, resize_image
from lingbot_ros.model.rigid_layers.motion import advance
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import Bodies, LayerState
from lingbot_ros.world.layer_session import to_frames
from lingbot_ros.world.rollout import to_targets

if TYPE_CHECKING:
    from lingbot_ros.world.layer_model import LayerModel


class LayerBatch:
    """`size` rows that live like sessions of the same world. Used by one thread at a time."""

    def __init__(self, model: "LayerModel", size: int) -> None:
        """Every row must be `start`ed before the first step. Raises InputError."""
        if size < 1:
            raise InputError("size", size, "give 1 or more")
        self.size, self._model = size, model
        empty = LayerState.empty(model.constants.config, model.card.height, model.card.width)
        self._bodies = Bodies(**{name: t.repeat(size, *[1] * (t.dim() - 1)) for name, t in vars(empty.bodies).items()})
        self._textures = empty.textures.repeat(size, 1, 1, 1, 1)
        self._background = empty.background.repeat(size, 1, 1, 1)
        self._started = [False] * size

    @property
    def frames_per_chunk(self) -> int:
        """How many frames a step makes of every row, and how many controls it takes."""
        return 1

    def start(self, row: int, image: Frames, seed: int = 0) -> Frames:
        """Begin row number `row` anew at a picture uint8 [h, w, 3] RGB; returns it as the model sees it, [H, W, 3].

        Nothing is random here: the seed changes nothing.
        """
        if not 0 <= row < self.size:
            raise InputError("row", row, f"give 0 to {self.size - 1}")
        if not 0 <= seed < 2**64:
            raise InputError("seed", seed, "give an integer from 0 to 2^64 - 1")
        frame = resize_image(check_image(image), self._model.card.height, self._model.card.width)
        state = self._model.capture.start(frame)
        for name, mine in vars(self._bodies).items():
            mine[row] = getattr(state.bodies, name)[0]
        self._textures[row], self._background[row] = state.textures[0], state.background[0]
        self._started[row] = True
        return frame

    @torch.inference_mode()
    def step(self, controls: ArrayLike) -> Frames:
        """Imagine one frame of every row: controls [size, 1, dim] -> uint8 [size, 1, H, W, 3] RGB.

        A step that raises leaves the rows as they were. Raises InputError for controls that a session would refuse,
        naming the row, and SessionError while a row has not been started.
        """
        if not all(self._started):
            missing = self._started.index(False)
            raise SessionError(f"batch: row {missing} was never started; start every row", ErrorCode.NOT_ACTIVE)
        card = self._model.card
        values = np.asarray(controls, np.float64)
        if values.shape != (self.size, 1, card.control.dim):
            raise InputError("controls", f"shape {list(values.shape)}", f"give {[self.size, 1, card.control.dim]}")
        for row, mine in enumerate(values):
            try:
                check_actions(mine, 1, card.control)
            except InputError as error:
                raise InputError(f"row {row}: {error.field}", error.value, error.fix) from error
        low, high = np.array(card.control.low), np.array(card.control.high)
        scaled = torch.from_numpy((2 * (values[:, 0] - low) / (high - low) - 1).astype(np.float32))
        targets = to_targets(scaled, (card.width, card.height))
        self._bodies = advance(self._model.constants, self._bodies, targets)
        pictures = render(self._model.constants, self._bodies.poses, self._textures, self._background)
        return to_frames(pictures)[:, None]
