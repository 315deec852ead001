"""The law by which an action draws a driven layer: linear in position, velocity and action, the same on both axes.

Position in pixels of the frame, velocity in pixels per frame, the action in pixels too: where it points to. The
velocity is part of the state, so that a jump is nothing but a long step.
"""

import numpy as np
import torch
from scipy.linalg import fractional_matrix_power
from torch import Tensor, nn


class DriveLaw(nn.Module):
    """`next = law @ (position, velocity, action, 1)`, and the same law for the `substeps` that make up a frame."""

    law: Tensor
    places: Tensor

    def __init__(self, substeps: int) -> None:
        super().__init__()
        self.substeps = substeps
        self.register_buffer("law", torch.zeros(2, 4))
        self.register_buffer("places", torch.zeros(substeps, 4), persistent=False)

    def settle(self) -> None:
        """Work out the substeps' law; to be called once `law` is known. The root of a fading motion is a fading motion."""
        whole = np.eye(4)
        whole[:2] = self.law.double().numpy()
        small = np.real(fractional_matrix_power(whole, 1 / self.substeps))
        rows = [np.linalg.matrix_power(small, k)[0] for k in range(1, self.substeps + 1)]
        self.places = torch.tensor(np.array(rows), dtype=self.law.dtype, device=self.law.device)

    def forward(self, position: Tensor, velocity: Tensor, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All [B, 2] -> position and velocity after the frame [B, 2], and the places on the way [B, substeps, 2]."""
        known = torch.stack((position, velocity, action, torch.ones_like(position)), dim=-1)
        after = known @ self.law.T
        return after[..., 0], after[..., 1], (known @ self.places.T).transpose(-1, -2)
