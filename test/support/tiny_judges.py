"""Weights of judges, random, under the published names and keys."""

from pathlib import Path

import torch

from lingbot_ros.evaluate.judges.lpips import BACKBONE, WEIGHTS


def write_lpips(folder: Path) -> None:
    """Random weights under the published names and keys."""
    torch.manual_seed(0)
    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    backbone = {
        f"features.{n}.weight": torch.randn(shape) / (shape[1] * shape[2] ** 2) ** 0.5 for n, shape in shapes.items()
    }
    backbone |= {f"features.{n}.bias": torch.zeros(shape[0]) for n, shape in shapes.items()}
    torch.save(backbone | {"classifier.1.weight": torch.zeros(1)}, folder / BACKBONE)
    channels = (64, 192, 384, 256, 256)
    torch.save({f"lin{k}.model.1.weight": torch.rand(1, c, 1, 1) for k, c in enumerate(channels)}, folder / WEIGHTS)
