"""The training run of a depth network: it resumes, validates, and ends with averaged weights."""

import copy
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lingbot_ros.model.scene.depth_network import FARTHEST, NEAREST, DepthNetwork, condition, view_rays
from lingbot_ros.training.checkpoint import load_checkpoint, save_checkpoint
from lingbot_ros.training.optimizer import Optimizer, learning_rate, update_ema
from lingbot_ros.training.progress import Progress
from lingbot_ros.training.scene.config import SceneTrainConfig
from lingbot_ros.training.scene.views import Views, ViewSource, changed_colours, mirrored, seen_from_other

_CHECKPOINT = "checkpoint.pt"
_SAVE_EVERY = 200


@dataclass(frozen=True)
class DepthError:
    """Of held-out views: the median relative error on real frames, and in the holes of incomplete ones."""

    frames: float
    holes: float


class DepthTrainer:
    """Trains on the CPU. Ctrl-C saves and stops; a trainer of the same run resumes."""

    def __init__(self, config: SceneTrainConfig, run: Path, bf16: bool) -> None:
        """`bf16`: compute the network, not its loss, in 16 bits; slow on processors without such instructions."""
        torch.manual_seed(config.seed)
        self.config, self.run, self._bf16 = config, run, bf16
        self.iteration = 0
        self.network = DepthNetwork(config.scene.widths)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self._optimizer = Optimizer(self.network, config.schedule)
        if (run / _CHECKPOINT).exists():
            self._resume(load_checkpoint(run / _CHECKPOINT))

    def train(self, source: ViewSource, iterations: int, minutes: float | None) -> None:
        """Go on to `iterations` in all, or for so many minutes."""
        self.run.mkdir(parents=True, exist_ok=True)
        end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
        schedule = self.config.schedule
        with Progress("depth", self.run, self.iteration, iterations, schedule.batch_clips, 20) as progress:
            try:
                while self.iteration < iterations and time.monotonic() < end:
                    rng = np.random.default_rng([self.config.seed, self.iteration])
                    views = source.draw(schedule.batch_clips, rng)
                    # Half of the batches in a mirror: twice as many houses for nothing.
                    loss = self._loss(mirrored(views) if self.iteration % 2 else views, rng)
                    torch.autograd.backward(loss)
                    norm = self._optimizer.step(self.iteration, iterations)
                    update_ema(self.average, self.network, schedule.ema, self.iteration)
                    rate = learning_rate(schedule, self.iteration, iterations)
                    self.iteration += 1
                    progress.advance(self.iteration, loss.detach(), norm, rate, 1)
                    if self.iteration % _SAVE_EVERY == 0:
                        self._save()
            finally:
                self._save()

    @torch.no_grad()
    def measure(self, source: ViewSource, batches: int = 16) -> DepthError:
        """The averaged network on views of `source`, the same ones every time."""
        rng = np.random.default_rng(0)
        errors: list[Tensor] = []
        in_holes: list[Tensor] = []
        for _ in range(batches):
            views = source.draw(8, rng)
            colour = views.colour.float() / 255
            everything = torch.ones_like(views.depth)
            errors.append(
                _relative_error(self._predict(self.average, views, colour, everything, 0 * everything), views)
            )
            seen = seen_from_other(views)
            error = _relative_error(self._predict(self.average, views, colour, seen, seen), views)
            in_holes.append(error[seen == 0])
        return DepthError(float(torch.cat(errors).median()), float(torch.cat(in_holes).median()))

    def _loss(self, views: Views, rng: np.random.Generator) -> Tensor:
        colour = changed_colours(views.colour.float() / 255, rng)
        with_holes = torch.from_numpy(rng.random(len(colour)) < self.config.holes).float()[:, None, None, None]
        seen = seen_from_other(views)
        known = seen * with_holes + 1 - with_holes
        disparity = self._predict(self.network, views, colour, known, seen * with_holes)
        true = (1 / views.depth.clamp(min=0.01)).clamp(FARTHEST, NEAREST)
        error = (disparity / true).log().abs()
        return error.mean() + (error * (1 - known)).sum() / max(float((1 - known).sum()), 1.0) * self.config.holes

    def _predict(
        self, network: DepthNetwork, views: Views, colour: Tensor, known: Tensor, disparity_known: Tensor
    ) -> Tensor:
        rays = view_rays(views.intrinsics, *colour.shape[-2:])
        inputs = condition(colour, known, 1 / views.depth.clamp(min=0.01), disparity_known, rays)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            predicted: Tensor = network(inputs)
        return predicted

    def _save(self) -> None:
        save_checkpoint(
            self.run / _CHECKPOINT,
            {
                "iteration": self.iteration,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self._optimizer.state_dict(),
            },
        )

    def _resume(self, state: dict[str, object]) -> None:
        self.iteration = int(state["iteration"])  # type: ignore[call-overload]
        self.network.load_state_dict(state["network"])  # type: ignore[arg-type]
        self.average.load_state_dict(state["average"])  # type: ignore[arg-type]
        self._optimizer.load_state_dict(state["optimizer"])  # type: ignore[arg-type]


def _relative_error(disparity: Tensor, views: Views) -> Tensor:
    return (1 / disparity / views.depth.clamp(min=0.01) - 1).abs()
