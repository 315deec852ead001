"""The camera of a session: poses at frame rate -> rays at latent rate, across chunks (model_spec 3.3, 6.4)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lingbot_ros.control.poses import Poses, check_poses, framewise_steps
from lingbot_ros.control.rays import RayGrid
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import KEYS, RayControlConfig
from lingbot_ros.model.geometry import TEMPORAL_STRIDE

UNIT_STEP = 0.2
"""Default length of one latent step: full speed of the released key control, 4 frames of 0.05."""


@dataclass(frozen=True)
class Lens:
    """What stays fixed in a session: intrinsics fx, fy, cx, cy in pixels of the model's frames, and the unit step.

    `unit_step` is the translation between two latent frames (4 pixel frames), in the poses' unit, that the model sees
    as length 1. The released pipeline takes the longest step of the whole clip, which a stream cannot know:
    `longest_step(framewise_steps(resample_path(poses, latents)))` gives that value for a recorded path.
    """

    intrinsics: tuple[float, float, float, float]
    unit_step: float = UNIT_STEP

    def __post_init__(self) -> None:
        if not (isinstance(self.unit_step, int | float) and 0 < self.unit_step < math.inf):
            raise InputError("unit_step", self.unit_step, "give a positive length in the unit of the poses")


class CameraControl:
    """One session's camera. `encode` changes nothing that counts; `commit` makes the chunk's last pose the past.

    `latent_poses` [chunk, 4, 4] are those of the latent frames that were encoded last.

    Models with 7 ray channels (direction, WASD) also take keys: a fifth row w, a, s, d of 0 or 1 below each pose.
    Without a config the poses are checked and kept, and the network sees none.
    """

    def __init__(
        self,
        config: RayControlConfig | None,
        chunk: int,
        height: int,
        width: int,
        device: str,
        lens: Lens | None = None,
    ) -> None:
        """`chunk` in latent frames, sizes in pixels; without a lens only `load_state` makes it usable."""
        self._config, self._chunk, self._size, self._device = config, chunk, (height, width), device
        self._previous: Poses | None = None
        self._last: Poses | None = None
        self.latent_poses: Poses | None = None
        self._lens: Lens | None = None
        self._grid: RayGrid | None = None
        if lens is not None:
            self._set_lens(lens)

    @property
    def lens(self) -> Lens | None:
        """What stays fixed; None until a state was loaded."""
        return self._lens

    @property
    def pose(self) -> Poses | None:
        """The last committed pose, [4, 4]; None before the first chunk."""
        return self._previous

    def encode(self, controls: ArrayLike, frames: int) -> dict[str, Tensor]:
        """Poses [frames, 4, 4], or [frames, 5, 4] with keys -> `rays` float32 [1, channels * fold^2, chunk, h, w].

        Nothing for a network that sees no poses.
        Raises InputError naming the pose, its fault and what is accepted.
        """
        poses, keys = self._checked(controls, frames)
        # A latent frame shows the last of its pixel frames; the first of a session is one frame alone.
        picked = slice(frames - 1 - TEMPORAL_STRIDE * (self._chunk - 1), None, TEMPORAL_STRIDE)
        self._last, self.latent_poses = poses[-1], poses[picked]
        if self._grid is None:
            return {}
        steps = framewise_steps(poses[picked], self._previous)
        assert self._lens is not None
        directions = self._grid.directions(torch.from_numpy(steps[:, :3, :3]))
        if keys is None:
            origins = self._grid.constants(torch.from_numpy(steps[:, :3, 3] / self._lens.unit_step))
            rays = torch.cat((origins, directions))
        else:
            rays = torch.cat((directions, self._grid.constants(torch.from_numpy(keys[picked]))))
        return {"rays": rays[None]}

    @property
    def unit_step(self) -> float:
        """The session's translation scale."""
        assert self._lens is not None
        return self._lens.unit_step

    def commit(self, encoded: Mapping[str, Tensor]) -> None:
        """The chunk that was encoded last became the past."""
        self._previous = self._last

    def state(self) -> dict[str, Tensor]:
        assert self._lens is not None
        state = {"lens": torch.tensor([*self._lens.intrinsics, self._lens.unit_step], dtype=torch.float64)}
        if self._previous is not None:
            state["previous_pose"] = torch.from_numpy(self._previous.copy())
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        *intrinsics, unit_step = state["lens"].tolist()
        previous = state.get("previous_pose")
        if previous is not None and tuple(previous.shape) != (4, 4):
            raise ValueError(f"a pose of shape {list(previous.shape)} instead of [4, 4]")
        self._set_lens(Lens((intrinsics[0], intrinsics[1], intrinsics[2], intrinsics[3]), unit_step))
        self._previous = None if previous is None else previous.cpu().numpy().copy()

    def _set_lens(self, lens: Lens) -> None:
        self._lens = lens
        if self._config is not None:
            self._grid = RayGrid(np.array(lens.intrinsics), *self._size, self._config.fold, self._device)

    def _checked(self, controls: ArrayLike, frames: int) -> tuple[Poses, NDArray[np.float64] | None]:
        has_keys = self._config is not None and self._config.channels == 3 + len(KEYS)
        rows = 5 if has_keys else 4
        try:
            array = np.asarray(controls, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError("poses", controls, f"give numbers, [{frames}, {rows}, 4]") from error
        if array.shape != (frames, rows, 4):
            keys = f" and a fifth row of keys {', '.join(KEYS)}" if has_keys else ""
            fix = f"give [{frames}, {rows}, 4]: {frames} camera-to-world matrices{keys}"
            raise InputError("poses", f"shape {list(array.shape)}", fix)
        if not has_keys:
            return check_poses(array), None
        keys_down = array[:, 4]
        if not np.isin(keys_down, (0, 1)).all():
            raise InputError("keys", keys_down[~np.isin(keys_down, (0, 1))][0], "give 0 (up) or 1 (down)")
        return check_poses(array[:, :4]), keys_down
