"""One training run: batches from the rollout pool, one-step prediction, EMA, checkpoints, logs."""

import copy
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import InputError, ModelError
from lingbot_ros.model.rigid_layers.rigid_layers import LayeredPrediction
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.transformer import CausalWorldTransformer, StepInputs
from lingbot_ros.training.checkpoint import load_checkpoint, save_checkpoint
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.execution import Execution, compile_predict
from lingbot_ros.training.gate import Verdict
from lingbot_ros.training.identity import require_same_run, run_identity
from lingbot_ros.training.layer_fit.fit import ONE_STEP_TIME, fit_layers, is_fitted
from lingbot_ros.training.layer_loss import PartReader, agreement, layer_loss
from lingbot_ros.training.optimizer import Optimizer, learning_rate, update_ema
from lingbot_ros.training.pool import Batch, ClipSource, RolloutPool
from lingbot_ros.training.progress import Progress
from lingbot_ros.training.validator import Validator
from lingbot_ros.training.windowed_attention import clip_attention

Targets = Callable[[Batch], Sequence[tuple[float, Batch]]]
"""A batch -> shares of the loss, each with the batch whose target it is against. The shares sum to 1."""

GPU_LOG_EVERY = 10
"""A GPU's loss is read and logged in every tenth iteration."""

AROUND_PX = 4
"""How far around foreground the loss is heavier, pixels."""


@dataclass(frozen=True)
class Limits:
    """When to stop and how often to save: total iterations, minutes of this call (None: no limit)."""

    iterations: int
    minutes: float | None = None
    save_every: int = 200


def truth(batch: Batch) -> Sequence[tuple[float, Batch]]:
    """Against what the data say alone."""
    return ((1.0, batch),)


class Trainer:
    """Trains a one-step pixel model on clips; everything needed to go on is in `checkpoint.pt` in the run's folder."""

    def __init__(
        self,
        config: TrainConfig,
        source: ClipSource,
        background: np.ndarray,
        run: Path,
        execution: Execution = Execution(),  # noqa: B008, it is frozen
        targets: Targets = truth,
        parts: PartReader | None = None,
        control: ControlSpec | None = None,
        fps: float | None = None,
    ) -> None:
        """`background` uint8 [H, W, 3]: the data's median image, from which foreground differs.

        `parts` tells, where somebody can, what the model's rigid layers are to be made of. `control`, `fps`: of the
        data, kept in the checkpoint, so that the run is not resumed with other data.

        Raises ModelError for a checkpoint that cannot be resumed, EngineError where nothing can compile.
        """
        torch.manual_seed(config.seed)
        self.config, self.run, self.device = config, run, torch.device(execution.device)
        self._targets, self._parts = targets, parts
        self.model = CausalWorldTransformer(config.transformer).to(self.device)
        if self.device.type == "cpu":  # convolutions take three quarters of the time
            self.model = self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimizer = Optimizer(self.model, config.schedule, is_fitted if config.layer_fit else lambda _: False)
        self.iteration = 0
        self.trained_seconds = 0.0
        self.passed_gate = False
        self._checkpoint = run / "checkpoint.pt"
        self._identity = run_identity(config, background, control, fps)
        if self._checkpoint.exists():
            self._resume(load_checkpoint(self._checkpoint))
        elif config.layer_fit is not None:
            self._fit_layers(source, background.shape[:2])
        if execution.compiled:
            compile_predict(self.model, execution.device)
        # A resumed run draws new clips: the pool is a sample of the data, not part of the model.
        self.pool = RolloutPool(
            source,
            config.rollout.pool_clips,
            seed=config.seed + self.iteration,
            device=self.device,
            loaders=execution.loaders,
        )
        self._background = torch.from_numpy(background).permute(2, 0, 1).float() / 127.5 - 1
        self._forward = ClipForward(config, background.shape[:2], self.device, execution.precision)

    def train(self, limits: Limits, validator: Validator | None = None) -> Verdict | None:
        """Train until the limits, Ctrl-C or a closed gate, saving on the way and at the end.

        Returns the gate's verdict if it was due in this call.
        """
        self.run.mkdir(parents=True, exist_ok=True)
        stop = StopOnSignal()
        started = time.monotonic()
        # In the background of a busy machine minutes say little about how much was computed.
        clock = time.process_time if self.device.type == "cpu" else time.monotonic
        verdict = None
        frames = self.config.schedule.batch_clips * self.config.rollout.clip_frames
        every = 1 if self.device.type == "cpu" else GPU_LOG_EVERY
        with Progress(self.config.name, self.run, self.iteration, limits.iterations, frames, every) as progress:
            while self.iteration < limits.iterations and not stop.requested:
                if limits.minutes is not None and time.monotonic() - started > 60 * limits.minutes:
                    break
                begun = clock()
                loss, norm = self._train_once(limits.iterations)
                rate = learning_rate(self.config.schedule, self.iteration - 1, limits.iterations)
                if self.iteration % every == 0:
                    self._require_finite(loss, norm)
                progress.advance(self.iteration, loss, norm, rate, self._depth(self.iteration - 1))
                self.trained_seconds += clock() - begun
                if validator is not None:
                    decided = validator.validate(
                        self.average, self.iteration, self.trained_seconds, self.passed_gate, progress.log
                    )
                    if decided is not None:
                        verdict, self.passed_gate = decided, decided.passed
                        if not decided.passed:
                            break
                        tqdm.write(decided.message)
                if self.iteration % limits.save_every == 0:
                    self._save()
        self._save()
        self.pool.close()
        return verdict

    def _fit_layers(self, source: ClipSource, size: tuple[int, ...]) -> None:
        """Begin a run; what took minutes is kept at once. Raises InputError where the data know no layers."""
        assert self.config.layer_fit is not None
        if self._parts is None:
            fix = "leave it out: these data do not tell what the layers are to be"
            raise InputError("layer_fit", self.config.layer_fit, fix)
        fit = fit_layers(self.model, source, self._parts, self.config.layer_fit, self.config.seed, (size[0], size[1]))
        tqdm.write(str(fit))
        self.average.load_state_dict(self.model.state_dict())
        self.run.mkdir(parents=True, exist_ok=True)
        self._save()

    def _depth(self, iteration: int) -> int:
        """How often a clip is trained on its own predictions at this point of the run."""
        rollout = self.config.rollout
        ramp = (iteration - rollout.teacher_iterations) / rollout.ramp_iterations
        return round(rollout.depth * min(1.0, max(0.0, ramp)))

    def _train_once(self, iterations: int) -> tuple[Tensor, Tensor]:
        schedule = self.config.schedule
        batch = self.pool.draw(schedule.batch_clips, self._depth(self.iteration))
        prediction, layered = self._forward(self.model, batch)
        known = torch.ones((), device=self.device) if self._parts is None else agreement(batch, self._parts)
        aims = self._targets(batch)
        loss = torch.stack([share * self._loss(prediction, aim, known) for share, aim in aims]).sum()
        if layered is not None:
            known = known.expand(len(batch.target), 1, batch.target.shape[2], 1, 1)
            loss = loss + layer_loss(layered, batch, self._parts, known, self.config)
        loss.backward()
        norm = self.optimizer.step(self.iteration, iterations)
        self.pool.update(batch, prediction.detach())
        update_ema(self.average, self.model, schedule.ema, self.iteration)
        self.iteration += 1
        return loss.detach(), norm

    def _loss(self, prediction: Tensor, batch: Batch, known: Tensor) -> Tensor:
        """Smooth L1, heavier where something is, was a frame before, or is imagined to be, and closely around.

        Weighing only where things are would teach the model to draw them too large, step after step. Frames count as
        far as their next one is `known`, see `agreement`.
        """
        target, previous = batch.target.to(self.device), batch.condition[:, : batch.target.shape[1]].to(self.device)
        background = self._background.to(self.device)[None, :, None]
        differs = [(image - background).abs().amax(dim=1) for image in (target, previous, prediction.detach())]
        foreground = (torch.stack(differs).amax(dim=0) > 0.1).float()
        around = torch.nn.functional.max_pool2d(foreground, 2 * AROUND_PX + 1, stride=1, padding=AROUND_PX)
        weight = 1 + self.config.foreground_weight * around[:, None]
        error = torch.nn.functional.smooth_l1_loss(prediction, target, beta=0.1, reduction="none")
        return (known * weight * error).mean()

    def _require_finite(self, loss: Tensor, norm: Tensor) -> None:
        """Raise ModelError when the run has left the numbers; what is on disk stays, which is older and finite."""
        if isfinite(float(loss)) and isfinite(float(norm)):
            return
        kept = f"{self._checkpoint} keeps an earlier iteration" if self._checkpoint.exists() else "nothing was saved"
        raise ModelError(
            f"iteration {self.iteration}: the loss is {float(loss):g} and the gradient's norm {float(norm):g}; the run "
            f"stopped and {kept}. Give a smaller schedule.learning_rate (it is {self.config.schedule.learning_rate:g}) "
            "or a longer schedule.warmup_iterations, in another --run"
        )

    def _save(self) -> None:
        save_checkpoint(
            self._checkpoint,
            {
                "iteration": self.iteration,
                "identity": self._identity,
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "trained_seconds": self.trained_seconds,
                "passed_gate": self.passed_gate,
            },
        )

    def _resume(self, state: dict[str, Any]) -> None:
        for line in require_same_run(state.get("identity"), self._identity, str(self._checkpoint)):
            tqdm.write(line)
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            fix = "resume it with its original configuration, or give another --run"
            raise ModelError(f"{self._checkpoint}: its architecture is not {self.config.name}'s; {fix}") from error
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.iteration = int(state["iteration"])
        # Checkpoints of earlier versions know neither.
        self.trained_seconds = float(state.get("trained_seconds", 0.0))
        self.passed_gate = bool(state.get("passed_gate", False))


class ClipForward:
    """One teacher-forced pass over a batch of clips, every frame seeing what it will see when streaming."""

    def __init__(
        self, config: TrainConfig, size: tuple[int, ...], device: torch.device, precision: str = "bf16"
    ) -> None:
        transformer, stream = config.transformer, config.stream
        _, ph, pw = transformer.patch_size
        self.rows, self.columns = size[0] // ph, size[1] // pw
        frames = config.rollout.clip_frames
        cos, sin = rope_tables(torch.arange(frames), self.rows, self.columns, transformer.head_dim)
        ring = Ring(stream.chunk, stream.window, stream.sink)
        self.cos, self.sin = cos.to(device), sin.to(device)
        self.attends = [clip_attention(ring, frames, self.rows * self.columns, device)] * transformer.num_layers
        self.device, self._is_mixed = device, precision == "bf16"

    def __call__(self, model: CausalWorldTransformer, batch: Batch) -> tuple[Tensor, LayeredPrediction | None]:
        """Predicted clean frames, float32 [B, 3, L, H, W], and how rigid layers made them if there are any."""
        condition, actions = batch.condition.to(self.device), batch.actions.to(self.device)
        noise = torch.randn(batch.target.shape, device=self.device)  # read by velocity models only
        time_per_frame = torch.full(condition.shape[:1] + condition.shape[2:3], ONE_STEP_TIME, device=self.device)
        # Where a thing is driven to is told to a fraction of a pixel, which bf16 cannot.
        control = model.encode_actions(actions, self.rows, self.columns)
        time = model.embed_time(time_per_frame, control.frame)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._is_mixed):
            inputs = StepInputs(noise, condition, time, self.cos, self.sin, control)
            return model.predict_layers(inputs, self.attends)


class StopOnSignal:
    """First Ctrl-C or SIGTERM: finish the iteration and save. Second: as usual."""

    def __init__(self) -> None:
        self.requested = False
        self._previous = {number: signal.signal(number, self._request) for number in (signal.SIGINT, signal.SIGTERM)}

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(number, self._previous[signal.Signals(number)])
