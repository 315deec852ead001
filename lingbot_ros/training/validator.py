"""Validates the averaged model now and then, writes down the figures, and checks it once at the gate."""

from pathlib import Path

import cv2
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from lingbot_ros.errors import InputError
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.ema_world import load_ema_world
from lingbot_ros.training.gate import Gate, Verdict
from lingbot_ros.training.training_data import TrainingData
from lingbot_ros.training.validation import ValidationResult


class Validator:
    """`validate` after each iteration. Images go to RUN/validation, figures to TensorBoard and one printed line."""

    def __init__(
        self, config: TrainConfig, data: TrainingData, run: Path, device: str, every: int, with_gate: bool = True
    ) -> None:
        """`every` so many iterations, 0: only at the gate. Prepares the windows; raises InputError for a gate amiss."""
        if every < 0:
            raise InputError("--eval-every", every, "give 0 (only at the gate) or more iterations")
        self._config, self._data, self._device, self._every = config, data, device, every
        self._folder = run / "validation"
        has_gate = with_gate and config.gate is not None
        self._validation = data.new_validation() if every or has_gate else None
        self._gate = Gate(config.gate, self._validation) if has_gate and config.gate and self._validation else None

    def validate(
        self, average: CausalWorldTransformer, iteration: int, trained_seconds: float, decided: bool, log: SummaryWriter
    ) -> Verdict | None:
        """Validate if it is time to; the gate's verdict if it is due and not yet `decided`, else None."""
        at_gate = self._gate is not None and not decided and self._gate.due(trained_seconds)
        if self._validation is None or not (at_gate or (self._every and iteration % self._every == 0)):
            return None
        world = load_ema_world(average, self._config, self._data, self._device)
        result = self._validation(world)
        self._write(result, iteration, log)
        return self._gate.check(result, trained_seconds) if at_gate and self._gate is not None else None

    def _write(self, result: ValidationResult, iteration: int, log: SummaryWriter) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(self._folder / f"{iteration:06d}.png"), result.strip[..., ::-1])
        log.add_image("validation", result.strip, iteration, dataformats="HWC")
        for name, figure in result.figures.items():
            for frame, model, baseline in zip(result.frames, figure.model, figure.baseline, strict=True):
                log.add_scalar(f"validation_{name}/frame_{frame}", model, iteration)
                log.add_scalar(f"validation_{name}_baseline/frame_{frame}", baseline, iteration)
        log.flush()
        last = result.frames[-1]
        values = [f"{name} {result.at(name, last)[0]:.3f} ({result.at(name, last)[1]:.3f})" for name in result.figures]
        tqdm.write(f"iteration {iteration}, open-loop frame {last} (last frame repeated): {', '.join(values)}")
