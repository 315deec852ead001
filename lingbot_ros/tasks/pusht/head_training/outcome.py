"""Trains, calibrates and judges the outcome head."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.tasks.pusht.head_training.calibrate import (
    expected_calibration_error,
    fit_platt,
    reliability,
    save_reliability,
)
from lingbot_ros.tasks.pusht.head_training.fit import disturb, fit
from lingbot_ros.tasks.pusht.head_training.futures import imagined_outcomes
from lingbot_ros.tasks.pusht.head_training.outcome_data import OutcomeData, joined, make_outcomes
from lingbot_ros.tasks.pusht.heads.files import save_head
from lingbot_ros.tasks.pusht.heads.networks import SIZE, OutcomeNet, to_images
from lingbot_ros.world.world import World

_BATCH = 48


def train_outcome(
    folder: Path,
    scenes: int,
    iterations: int,
    seed: int,
    command: str,
    quiet: bool = False,
    world: World | None = None,
    futures: int = 0,
) -> None:
    """Write the head into `folder`: trained on `scenes`, calibrated on a fifth as many others, judged on another fifth.

    With a `world`, all images of so many imagined `futures` join the training, and those of a fifth as many others
    the calibration. `command` is quoted on the card. Raises InputError for a world that states no horizon.
    """
    torch.manual_seed(seed)
    training, validation, test = (
        make_outcomes(count, 10 * seed + part) for part, count in enumerate((scenes, scenes // 5, scenes // 5))
    )
    if world is not None:
        training = joined(training, imagined_outcomes(world, futures, 10 * seed, quiet))
        validation = joined(validation, imagined_outcomes(world, futures // 5, 10 * seed + 1, quiet))
    network = OutcomeNet()
    generator = torch.Generator().manual_seed(seed)
    success = torch.from_numpy(training.success.astype(np.float32))
    coverage = torch.from_numpy(training.coverage)

    def loss_of_batch(iteration: int) -> Tensor:
        chosen = torch.randint(len(coverage), (_BATCH,), generator=generator)
        pictures = to_images(training.frames[chosen.numpy()], "frames", (SIZE, SIZE, 3))
        logit, guess = network(disturb(pictures, generator))
        return F.binary_cross_entropy_with_logits(logit, success[chosen]) + 10 * F.smooth_l1_loss(
            guess, coverage[chosen], beta=0.05
        )

    fit(network, loss_of_batch, iterations, quiet)
    slope, offset = fit_platt(_predict(network, validation)[0], validation.success)
    imagined = {} if world is None else {"futures": futures, "imagined_by": world.model.files.digest}
    folder.mkdir(parents=True, exist_ok=True)
    logits, guesses = _predict(network, test)
    probability = 1 / (1 + np.exp(-(slope * logits + offset)))
    bins = reliability(probability, test.success)
    save_reliability(folder / "reliability.png", bins[:, 0], bins[:, 1], "success, held-out real frames")
    save_head(
        folder,
        network,
        {
            "name": folder.name,
            "kind": "outcome",
            "summary": "Success, coverage and reward of Push-T from one image.",
            "licence": "Apache-2.0",
            "calibration": {"slope": slope, "offset": offset},
            "quality": {"real_frames": outcome_figures(probability, guesses, test.coverage, test.success)},
            "training": {"command": command, "scenes": scenes, "iterations": iterations} | imagined,
            "limits": [
                "Knows only the scene of gym-pusht at 96 x 96 with its goal.",
                "Calibrated on placed scenes, of which many are near the goal; where success is rarer, so is the truth "
                "of a claimed success.",
            ],
        },
    )


def outcome_figures(
    probability: NDArray[np.float64],
    guess: NDArray[np.float64],
    coverage: NDArray[np.float32],
    success: NDArray[np.bool_],
) -> dict[str, Any]:
    """What a card says: calibration, errors, each beside what always saying the mean would reach. All arrays [N]."""
    error, rate = np.abs(guess - coverage), success.mean()
    return {
        "frames": len(success),
        "success_rate": round(float(rate), 4),
        "ece": round(expected_calibration_error(probability, success), 4),
        "brier": round(float(np.mean((probability - success) ** 2)), 4),
        "brier_of_constant": round(float(rate * (1 - rate)), 4),
        "accuracy": round(float(((probability > 0.5) == success).mean()), 4),
        "coverage_error_mean": round(float(error.mean()), 4),
        "coverage_error_p95": round(float(np.percentile(error, 95)), 4),
        "coverage_error_mean_of_constant": round(float(np.abs(coverage - np.median(coverage)).mean()), 4),
    }


@torch.inference_mode()
def _predict(network: OutcomeNet, data: OutcomeData) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    outputs = [
        network(to_images(data.frames[start : start + 256], "frames", (SIZE, SIZE, 3)))
        for start in range(0, len(data.frames), 256)
    ]
    logits, guesses = (torch.cat(column).double().numpy() for column in zip(*outputs, strict=True))
    return logits, guesses
