"""Views of a data set of houses, for the training of a depth network."""

import numpy as np
import torch

from lingbot_ros.tasks.rooms.dataset.reader import RoomsDataset
from lingbot_ros.training.scene.views import Views

_APART = 12
"""How many frames the two views of a drive are apart at most."""


class HouseViews:
    """Draws a frame of any drive, and beside it another frame of the same drive."""

    def __init__(self, data: RoomsDataset) -> None:
        self._data = data

    def draw(self, count: int, rng: np.random.Generator) -> Views:
        """See `ViewSource`."""
        data, plan = self._data, self._data.plan
        houses = rng.integers(plan.houses, size=count)
        first = rng.integers(plan.frames, size=count)
        second = np.clip(first + rng.integers(-_APART, _APART + 1, size=count), 0, plan.frames - 1)
        chosen = list(zip(houses.tolist(), first.tolist(), second.tolist(), strict=True))
        to_other = [np.linalg.inv(data.poses(house)[j]) @ data.poses(house)[i] for house, i, j in chosen]

        def depths(index: int) -> torch.Tensor:
            rows = [data.depth(one[0])[one[index]] for one in chosen]
            return torch.from_numpy(np.stack(rows)).float()[:, None]

        return Views(
            colour=torch.from_numpy(np.stack([data.frames(house)[i] for house, i, _ in chosen])).permute(0, 3, 1, 2),
            depth=depths(1),
            other_depth=depths(2),
            to_other=torch.from_numpy(np.stack(to_other)).float(),
            intrinsics=torch.from_numpy(np.stack([data.intrinsics(house) for house, _, _ in chosen])).float(),
        )
