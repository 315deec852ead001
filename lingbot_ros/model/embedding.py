"""Embeddings of diffusion time and of robot actions."""

import math

import torch
from torch import Tensor, nn

from lingbot_ros.model.config import ActionControlConfig


def sinusoid(timestep: Tensor, width: int) -> Tensor:
    """[cos, sin] features of diffusion times in [0, 1000): any shape -> float64 [..., width] (model_spec 3.5)."""
    half = width // 2
    frequencies = 10000.0 ** (-torch.arange(half, dtype=torch.float64, device=timestep.device) / half)
    angles = timestep.to(torch.float64)[..., None] * frequencies
    return torch.cat((angles.cos(), angles.sin()), dim=-1)


class ActionEmbedding(nn.Module):
    """Robot actions -> a vector per frame (joins the time embedding) and one per token (joins the patch embedding)."""

    def __init__(self, config: ActionControlConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        features = 1 + 2 * config.bands
        self.frame = nn.Sequential(
            nn.Linear(config.history * config.dim * features, dim), nn.SiLU(), nn.Linear(dim, dim)
        )
        self.token = nn.Linear(config.history * 2 * features, dim) if config.image_plane else None

    def forward(self, actions: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor | None]:
        """Embed actions float32 [B, f, history, dim], newest first: [B, f, D] and [B, f*rows*columns, D] or None."""
        per_frame = self.frame(self._fourier(actions).flatten(2))
        if self.token is None:
            return per_frame, None
        centre_x = (torch.arange(columns, device=actions.device) + 0.5) / columns * 2 - 1
        centre_y = (torch.arange(rows, device=actions.device) + 0.5) / rows * 2 - 1
        grid_y, grid_x = torch.meshgrid(centre_y, centre_x, indexing="ij")
        centres = torch.stack((grid_x, grid_y), dim=-1)
        relative = actions[:, :, None, None, :, :2] - centres[None, None, :, :, None]
        return per_frame, self.token(self._fourier(relative).flatten(4)).flatten(1, 3)

    def _fourier(self, x: Tensor) -> Tensor:
        octaves = math.pi * 2.0 ** torch.arange(self.config.bands, device=x.device)
        angles = x[..., None] * octaves
        return torch.cat((x[..., None], angles.sin(), angles.cos()), dim=-1)
