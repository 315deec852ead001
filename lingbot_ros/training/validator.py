"""Looks at the averaged model now and then, writes down what it sees, and judges it once at the gate."""

from pathlib import Path

import cv2
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from lingbot_ros.errors import InputError
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.ema_world import load_provisional
from lingbot_ros.training.gate import Gate, Verdict
from lingbot_ros.training.training_data import TrainingData
from lingbot_ros.training.validation import Looked


class Examiner:
    """`examine` after each iteration. Pictures go to RUN/looks, figures to TensorBoard and into one printed line."""

    def __init__(
        self, config: TrainConfig, data: TrainingData, run: Path, device: str, every: int, with_gate: bool = True
    ) -> None:
        """`every` iterations a look, 0: only at the gate. Prepares the windows; raises InputError for a gate amiss."""
        if every < 0:
            raise InputError("--look-every", every, "give 0 (look only at the gate) or more iterations")
        self._config, self._data, self._device, self._every = config, data, device, every
        self._folder = run / "looks"
        has_gate = with_gate and config.gate is not None
        self._look = data.new_look() if every or has_gate else None
        self._gate = Gate(config.gate, self._look) if has_gate and config.gate and self._look else None

    def examine(
        self, average: CausalWorldTransformer, iteration: int, trained_seconds: float, judged: bool, log: SummaryWriter
    ) -> Verdict | None:
        """Look if it is time to; the gate's verdict if it is due and not yet `judged`, else None."""
        at_gate = self._gate is not None and not judged and self._gate.due(trained_seconds)
        if self._look is None or not (at_gate or (self._every and iteration % self._every == 0)):
            return None
        world = load_provisional(average, self._config, self._data, self._device)
        looked = self._look(world)
        self._write(looked, iteration, log)
        return self._gate.judge(looked, trained_seconds) if at_gate and self._gate is not None else None

    def _write(self, looked: Looked, iteration: int, log: SummaryWriter) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(self._folder / f"{iteration:06d}.png"), looked.strip[..., ::-1])
        log.add_image("look", looked.strip, iteration, dataformats="HWC")
        for name, figure in looked.figures.items():
            for frame, model, still in zip(looked.frames, figure.model, figure.still, strict=True):
                log.add_scalar(f"look_{name}/frame_{frame}", model, iteration)
                log.add_scalar(f"look_{name}_of_doing_nothing/frame_{frame}", still, iteration)
        log.flush()
        last = looked.frames[-1]
        told = [f"{name} {looked.at(name, last)[0]:.3f} ({looked.at(name, last)[1]:.3f})" for name in looked.figures]
        tqdm.write(f"iteration {iteration}, open-loop frame {last} (doing nothing): {', '.join(told)}")
