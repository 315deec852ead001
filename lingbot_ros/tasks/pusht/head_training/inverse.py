"""Trains, calibrates and judges the inverse-dynamics head on a Push-T data set."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
from lingbot_ros.tasks.pusht.head_training.calibrate import save_reliability
from lingbot_ros.tasks.pusht.head_training.fit import fit
from lingbot_ros.tasks.pusht.heads.files import save_head
from lingbot_ros.tasks.pusht.heads.inverse import ARENA_CENTRE
from lingbot_ros.tasks.pusht.heads.networks import SIZE, InverseNet, to_images
from lingbot_ros.tasks.pusht.training_data import scale_actions

_BATCH = 24
_HELD_OUT = 2000
_SHAPE = (3, SIZE, SIZE, 3)
_LEVELS = np.linspace(0.1, 0.9, 9)


def train_inverse(
    folder: Path,
    data: PushTDataset,
    held_out: PushTDataset,
    iterations: int,
    seed: int,
    command: str,
    quiet: bool = False,
) -> None:
    """Write the head into `folder`: trained on `data`, calibrated and judged on disjoint halves of `held_out`."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    windows, network = data.windows(3), InverseNet()

    def loss_of_batch(iteration: int) -> Tensor:
        clips = data.clips(windows[rng.integers(len(windows), size=_BATCH)], 3)
        mean, log_spread = network(to_images(clips.frames, "frames", _SHAPE))
        error = torch.from_numpy(scale_actions(clips.actions[:, 1])) - mean
        # Laplace-like while far away, so that the first steps do not blow up the spread.
        return (error.abs() * torch.exp(-log_spread) + log_spread).mean()

    fit(network, loss_of_batch, iterations, quiet)
    everything = held_out.windows(3)
    half = len(held_out) // 2
    halves = [everything[everything[:, 0] < half], everything[everything[:, 0] >= half]]
    calibration, test = (_errors(network, held_out, rng.permutation(part)[:_HELD_OUT]) for part in halves)
    factor = float(np.sqrt(np.mean((calibration[0] / calibration[1]) ** 2)))
    # One standard deviation by its quantile: a few jumps have errors that no Gaussian has.
    factor = min(factor, float(np.quantile(np.abs(calibration[0] / calibration[1]), 0.683)))
    error, spread = test[0], test[1] * factor
    within = np.array([np.mean(np.abs(error) <= _gaussian_reach(level) * spread) for level in _LEVELS])
    folder.mkdir(parents=True, exist_ok=True)
    save_reliability(folder / "reliability.png", _LEVELS, within, "share of errors inside the interval")
    quality = inverse_figures(error, test[2]) | {"interval_ece": round(float(np.abs(within - _LEVELS).mean()), 4)}
    save_head(
        folder,
        network,
        {
            "name": folder.name,
            "kind": "inverse-dynamics",
            "summary": "The target that Push-T's pusher was drawn to, from three images in a row.",
            "licence": "Apache-2.0",
            "calibration": {"spread_factor": factor},
            "quality": {"real_frames": quality},
            "training": {"command": command, "clips_seen": iterations * _BATCH, "iterations": iterations},
            "limits": [
                "Knows only the scene of gym-pusht at 96 x 96 and 10 Hz; the first action of an episode is "
                "a guess where the image before it is missing."
            ],
        },
    )


def inverse_figures(error: NDArray[np.float64], held: NDArray[np.float64]) -> dict[str, Any]:
    """Errors [N, 2] of actions in simulator units, beside `held` [N, 2]: those of saying 'where the pusher is now'."""
    far, still = np.hypot(*error.T), np.hypot(*held.T)
    return {
        "clips": len(error),
        "error_median_units": round(float(np.median(far)), 2),
        "error_p90_units": round(float(np.percentile(far, 90)), 2),
        "error_median_of_pusher_position": round(float(np.median(still)), 2),
    }


@torch.inference_mode()
def _errors(network: InverseNet, data: PushTDataset, windows: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Error and uncalibrated spread [N, 2], and the error of the pusher's own position, simulator units."""
    columns = []
    for start in range(0, len(windows), 128):
        clips = data.clips(windows[start : start + 128], 3)
        mean, log_spread = network(to_images(clips.frames, "frames", _SHAPE))
        true = clips.actions[:, 1].astype(np.float64)
        columns.append(
            (
                (mean.double().numpy() + 1) * ARENA_CENTRE - true,
                log_spread.double().exp().numpy() * ARENA_CENTRE,
                clips.pusher[:, 2].astype(np.float64) - true,
            )
        )
    return tuple(np.concatenate(column) for column in zip(*columns, strict=True))


def _gaussian_reach(level: float) -> float:
    """How many standard deviations hold a share `level` of a Gaussian."""
    return float(torch.erfinv(torch.tensor(level, dtype=torch.float64)) * 2**0.5)
