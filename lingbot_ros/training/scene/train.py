"""The training run of a depth network: it resumes, validates, and ends with averaged weights."""

import copy
import time
from pathlib import Path

import numpy as np
import torch

from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.training.checkpoint import load_checkpoint, save_checkpoint
from lingbot_ros.training.optimizer import Optimizer, learning_rate, update_ema
from lingbot_ros.training.progress import Progress
from lingbot_ros.training.scene.config import SceneTrainConfig
from lingbot_ros.training.scene.loss import Predictor, depth_loss
from lingbot_ros.training.scene.measure import DepthQuality, measure
from lingbot_ros.training.scene.views import ViewSource, mirrored

_CHECKPOINT = "checkpoint.pt"
_SAVE_EVERY = 200


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
                    views = mirrored(views) if self.iteration % 2 else views
                    predictor = Predictor(self.network, self._bf16)
                    loss = depth_loss(predictor, views, self.config.holes, self.iteration / iterations, rng)
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

    def measure(self, source: ViewSource, batches: int = 16) -> DepthQuality:
        """The averaged network on views of `source`, the same ones every time."""
        return measure(Predictor(self.average, self._bf16), source, batches)

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
