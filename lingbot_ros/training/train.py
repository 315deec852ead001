"""One training run: batches from the rollout pool, one-step prediction, EMA, checkpoints, logs."""

import copy
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from lingbot_ros.model.attention import Attend, MaskedAttention, block_causal_mask
from lingbot_ros.model.layers import Layered
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.training.checkpoint import load_checkpoint, save_checkpoint
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.optimizer import Optimizer, update_ema
from lingbot_ros.training.pool import Batch, ClipSource, RolloutPool

ONE_STEP_TIME = 999.0
"""The diffusion time of pure noise, the only one that a one-step model is trained and run at."""

TURN_RADIUS_PX = 12.0
"""How far a typical point of a thing is from its centre, pixels."""

AROUND_PX = 4
"""How far around foreground the loss is heavier, pixels."""


PartReader = Callable[[Tensor], Tensor]
"""Pictures [n, 3, H, W] in -1..1, real or imagined -> whose each pixel is: [n, 1 + layers, H, W], the rest first."""


@dataclass(frozen=True)
class Limits:
    """When to stop and how often to save: total iterations, minutes of this sitting (None: no limit)."""

    iterations: int
    minutes: float | None = None
    save_every: int = 200


class Trainer:
    """Trains a one-step pixel model on clips; everything needed to go on is in `checkpoint.pt` in the run's folder."""

    def __init__(
        self,
        config: TrainConfig,
        source: ClipSource,
        background: np.ndarray,
        run: Path,
        device: str,
        parts: PartReader | None = None,
    ) -> None:
        """`background` uint8 [H, W, 3]: the data's median image, from which foreground differs.

        `parts` tells, where somebody can, what the rigid layers are to be made of.
        """
        torch.manual_seed(config.seed)
        self.config, self.run, self.device, self._parts = config, run, torch.device(device), parts
        self.model = CausalWorldTransformer(config.transformer).to(self.device)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimizer = Optimizer(self.model, config.schedule)
        self.iteration = 0
        self._checkpoint = run / "checkpoint.pt"
        if self._checkpoint.exists():
            self._resume(load_checkpoint(self._checkpoint))
        # A resumed run draws new clips: the pool is a sample of the data, not part of the model.
        self.pool = RolloutPool(source, config.rollout.pool_clips, seed=config.seed + self.iteration)
        self._background = torch.from_numpy(background).permute(2, 0, 1).float() / 127.5 - 1
        self._forward = ClipForward(config, background.shape[:2], self.device)

    def train(self, limits: Limits) -> None:
        """Train until the limits or Ctrl-C, saving on the way and at the end."""
        self.run.mkdir(parents=True, exist_ok=True)
        stop = StopOnSignal()
        started = time.monotonic()
        log = SummaryWriter(self.run / "log")
        clips_per_step = self.config.schedule.batch_clips * self.config.rollout.clip_frames
        with tqdm(total=limits.iterations, initial=self.iteration, unit="it", desc=self.config.name) as bar:
            while self.iteration < limits.iterations and not stop.requested:
                if limits.minutes is not None and time.monotonic() - started > 60 * limits.minutes:
                    break
                loss, norm = self._train_once(limits.iterations)
                bar.update()
                bar.set_postfix(loss=f"{loss:.5f}", frames=f"{self.iteration * clips_per_step / 1e3:.0f}k")
                log.add_scalar("loss", loss, self.iteration)
                log.add_scalar("gradient_norm", norm, self.iteration)
                if self.iteration % limits.save_every == 0:
                    self._save()
        self._save()
        log.close()

    def _train_once(self, iterations: int) -> tuple[float, float]:
        rollout, schedule = self.config.rollout, self.config.schedule
        ramp = (self.iteration - rollout.teacher_iterations) / rollout.ramp_iterations
        depth = round(rollout.depth * min(1.0, max(0.0, ramp)))
        batch = self.pool.draw(schedule.batch_clips, depth)
        prediction, layered = self._forward(self.model, batch)
        loss = self._loss(prediction, batch)
        if layered is not None:
            loss = loss + self._layer_loss(layered, batch)
        loss.backward()
        norm = self.optimizer.step(self.iteration, iterations)
        self.pool.update(batch, prediction.detach())
        update_ema(self.average, self.model, schedule.ema, self.iteration)
        self.iteration += 1
        return float(loss.detach()), norm

    def _loss(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Smooth L1, heavier where something is, was a frame before, or is imagined to be, and closely around.

        Weighing only where things are would teach the model to draw them too large, step after step.
        """
        target, previous = batch.target.to(self.device), batch.condition[:, : batch.target.shape[1]].to(self.device)
        background = self._background.to(self.device)[None, :, None]
        differs = [(image - background).abs().amax(dim=1) for image in (target, previous, prediction.detach())]
        foreground = (torch.stack(differs).amax(dim=0) > 0.1).float()
        around = torch.nn.functional.max_pool2d(foreground, 2 * AROUND_PX + 1, stride=1, padding=AROUND_PX)
        weight = 1 + self.config.foreground_weight * around[:, None]
        error = torch.nn.functional.smooth_l1_loss(prediction, target, beta=0.1, reduction="none")
        return (weight * error).mean()

    def _layer_loss(self, layered: Layered, batch: Batch) -> Tensor:
        """How wrong the layers are where the data knows better: how they moved, and what they are made of."""
        loss = layered.motions.new_zeros(())
        if batch.motions is not None:
            known = batch.motions.to(self.device).flatten(0, 1)
            loss = loss + self.config.motion_weight * motion_error(layered.motions, known)
        if self._parts is not None:
            previous = batch.condition[:, : batch.target.shape[1]].to(self.device)
            parts = self._parts(previous.transpose(1, 2).flatten(0, 1))
            loss = loss + self.config.parts_weight * torch.nn.functional.cross_entropy(layered.owners, parts)
        return loss

    def _save(self) -> None:
        save_checkpoint(
            self._checkpoint,
            {
                "iteration": self.iteration,
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
        )

    def _resume(self, state: dict[str, object]) -> None:
        self.model.load_state_dict(state["model"])  # type: ignore[arg-type]
        self.average.load_state_dict(state["average"])  # type: ignore[arg-type]
        self.optimizer.load_state_dict(state["optimizer"])  # type: ignore[arg-type]
        self.iteration = int(state["iteration"])  # type: ignore[call-overload]


class ClipForward:
    """One teacher-forced pass over a batch of clips, every frame seeing what it will see when streaming."""

    def __init__(self, config: TrainConfig, size: tuple[int, ...], device: torch.device) -> None:
        transformer, stream = config.transformer, config.stream
        _, ph, pw = transformer.patch_size
        self.rows, self.columns = size[0] // ph, size[1] // pw
        frames = config.rollout.clip_frames
        cos, sin = rope_tables(torch.arange(frames), self.rows, self.columns, transformer.head_dim)
        ring = Ring(stream.chunk, stream.window, stream.sink)
        visible = block_causal_mask(ring, frames, self.rows * self.columns)
        mask = torch.zeros(visible.shape).masked_fill(~visible, -torch.inf)
        self.cos, self.sin = cos.to(device), sin.to(device)
        self.attends: list[Attend] = [MaskedAttention(mask.to(device))] * transformer.num_layers
        self.device = device

    def __call__(self, model: CausalWorldTransformer, batch: Batch) -> tuple[Tensor, Layered | None]:
        """Predicted clean frames, float32 [B, 3, L, H, W], and how rigid layers made them if there are any."""
        condition, actions = batch.condition.to(self.device), batch.actions.to(self.device)
        noise = torch.randn(batch.target.shape, device=self.device)  # read by velocity models only
        time_per_frame = torch.full(condition.shape[:1] + condition.shape[2:3], ONE_STEP_TIME, device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            control = model.encode_actions(actions, self.rows, self.columns)
            return model.predict_layers(
                noise, condition, time_per_frame, self.cos, self.sin, control, (), self.attends
            )


def motion_error(motions: Tensor, known: Tensor) -> Tensor:
    """Smooth L1 in pixels of motions [..., 3]; turns count by what they move a point `TURN_RADIUS_PX` away."""
    scale = torch.tensor((1.0, 1.0, TURN_RADIUS_PX), device=motions.device)
    return torch.nn.functional.smooth_l1_loss(motions * scale, known * scale, beta=0.25)


class StopOnSignal:
    """First Ctrl-C or SIGTERM: finish the iteration and save. Second: as usual."""

    def __init__(self) -> None:
        self.requested = False
        self._previous = {number: signal.signal(number, self._request) for number in (signal.SIGINT, signal.SIGTERM)}

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(number, self._previous[signal.Signals(number)])

