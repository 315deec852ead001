"""What can be watched of a run: a bar with the time that is left, and TensorBoard."""

from pathlib import Path
from types import TracebackType

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm


class Progress:
    """Counts iterations on a bar; every so many it writes loss, gradient norm, learning rate and rollout depth."""

    def __init__(self, name: str, run: Path, done: int, iterations: int, frames: int, every: int) -> None:
        """`frames` an iteration trains on; reading a loss makes a GPU wait, hence only `every` iterations."""
        self.log = SummaryWriter(run / "log")
        self._bar = tqdm(total=iterations, initial=done, unit="it", desc=name)
        self._frames, self._every = frames, every

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        self.log.close()

    def advance(self, iteration: int, loss: Tensor, norm: Tensor, learning_rate: float, depth: int) -> None:
        """One more iteration is done."""
        self._bar.update()
        if iteration % self._every:
            return
        value = float(loss)
        rate = self._bar.format_dict["rate"] or 0.0
        seen, fps = f"{iteration * self._frames / 1e3:.0f}k", f"{rate * self._frames:.0f}"
        self._bar.set_postfix({"loss": f"{value:.5f}", "depth": depth, "frames": seen, "frames/s": fps})
        scalars = {"loss": value, "gradient_norm": float(norm), "learning_rate": learning_rate, "rollout_depth": depth}
        for name, scalar in scalars.items():
            self.log.add_scalar(name, scalar, iteration)
        self.log.add_scalar("frames_per_second", rate * self._frames, iteration)
