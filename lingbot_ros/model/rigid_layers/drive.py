"""The law by which an action draws a driven layer: linear in position, velocity and action, the same on both axes.

Position in pixels of the frame, velocity in pixels per frame, the action in pixels too: where it points to. The
velocity is part of the state, so that a jump is nothing but a long step.
"""

import numpy as np
import torch
from torch import Tensor, nn


class DriveLaw(nn.Module):
    """`next = law @ (position, velocity, action, 1)`, and the same law for the `substeps` that make up a frame.

    Where actions are no places of the image, `aim` [2, 3] makes them such first: `aim @ (x, y, 1)`.
    """

    law: Tensor
    places: Tensor
    aim: Tensor

    def __init__(self, substeps: int, has_aim: bool = False) -> None:
        super().__init__()
        self.substeps, self.has_aim = substeps, has_aim
        if has_aim:
            self.register_buffer("aim", torch.eye(2, 3))
        self.register_buffer("law", torch.zeros(2, 4))
        self.register_buffer("places", torch.zeros(substeps, 4), persistent=False)

    def settle(self) -> None:
        """Work out the substeps' law; to be called once `law` is known.

        A frame takes what is apart from the place of rest through a matrix, a substep through a root of it; both have
        real positive eigenvalues, as whatever comes to rest without swinging.
        """
        law = self.law.double().numpy()
        rest = np.linalg.solve(np.eye(2) - law[:, :2], law[:, 2:])
        values, vectors = np.linalg.eig(law[:, :2])
        rows = []
        for k in range(1, self.substeps + 1):
            part = np.real(vectors @ np.diag(values.astype(complex) ** (k / self.substeps)) @ np.linalg.inv(vectors))
            rows.append(np.concatenate([part, (np.eye(2) - part) @ rest], axis=1)[0])
        self.places = torch.tensor(np.array(rows), dtype=self.law.dtype, device=self.law.device)

    def forward(self, position: Tensor, velocity: Tensor, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All [B, 2] -> position and velocity after the frame [B, 2], and the places on the way [B, substeps, 2]."""
        if self.has_aim:
            action = action[..., :1] * self.aim[:, 0] + action[..., 1:] * self.aim[:, 1] + self.aim[:, 2]
        after = _applied(self.law, position, velocity, action)
        return after[..., 0], after[..., 1], _applied(self.places, position, velocity, action).transpose(-1, -2)


def _applied(law: Tensor, position: Tensor, velocity: Tensor, action: Tensor) -> Tensor:
    """A law [n, 4] of (position, velocity, action, 1), all [B, 2]: [B, 2, n].

    Number by number: the rounding of a matrix product depends on how many rows there are, on some processors, and a
    batch would then differ from its sessions.
    """
    pulled = position[..., None] * law[:, 0] + velocity[..., None] * law[:, 1]
    return pulled + action[..., None] * law[:, 2] + law[:, 3]
