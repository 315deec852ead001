"""How well a model foresees held-back clips of any scene: by the images alone, beside what costs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.bootstrap import Summary, summarise
from lingbot_ros.evaluate.metric import Frames, Metric, image_by_image, psnr_of_error, squared_error

LISTENS_DB = 0.1
"""What wrong actions must cost at least before a model counts as listening: less is nothing that anyone could see."""


@dataclass(frozen=True)
class ClipMetrics:
    """Figures per open-loop frame, counted from 1.

    psnr_db of the model, of repeating the last real frame, and of the model under another window's actions: means over
    windows. error_ratio: squared error of the model over that of repeating, summed over windows; below 1 the model
    knows more than nothing. shuffled_cost_db: what wrong actions cost, mean over frames, paired by window. trusted: how
    many frames from the first on have an error_ratio below 1. task: by metric's name, means of the model ("imagined")
    and of repeating ("last_frame_repeated").
    """

    windows: int
    psnr_db: dict[str, list[Summary]]
    error_ratio: list[float]
    shuffled_cost_db: Summary
    trusted: int
    task: dict[str, dict[str, list[Summary]]] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        return len(self.error_ratio)

    @property
    def listens(self) -> bool:
        """Whether wrong actions make it worse: by `LISTENS_DB` or more, beyond doubt."""
        return self.shuffled_cost_db.low > LISTENS_DB


def clip_metrics(
    real: Frames, last: Frames, imagined: Frames, shuffled: Frames, metrics: Sequence[Metric] = ()
) -> ClipMetrics:
    """From the true future `real`, what the model made of it and of wrong actions, all uint8 [N, H, h, w, 3], and the
    last real frames before it, uint8 [N, h, w, 3]. `metrics` are a task's own.
    """
    repeat = np.broadcast_to(last[:, None], real.shape)
    errors = {name: squared_error(frames, real) for name, frames in (
        ("imagined", imagined), ("last_frame_repeated", repeat), ("shuffled_actions", shuffled)
    )}  # fmt: skip
    psnr = {name: psnr_of_error(error) for name, error in errors.items()}
    # Where nothing moves both errors can be nothing: then there was nothing to know.
    ratio = errors["imagined"].sum(axis=0) / np.maximum(errors["last_frame_repeated"].sum(axis=0), 1e-9)
    worse = np.flatnonzero(ratio >= 1)
    cost = summarise((psnr["imagined"] - psnr["shuffled_actions"]).mean(axis=1), "mean")
    return ClipMetrics(
        windows=len(real),
        psnr_db={name: _by_frame(values) for name, values in psnr.items()},
        error_ratio=[float(value) for value in ratio],
        shuffled_cost_db=cost,
        trusted=int(worse[0]) if len(worse) else len(ratio),
        task={
            metric.name: {
                "imagined": _by_frame(image_by_image(metric.of, imagined, real)),
                "last_frame_repeated": _by_frame(image_by_image(metric.of, repeat, real)),
            }
            for metric in metrics
        },
    )


def _by_frame(values: NDArray[np.float64]) -> list[Summary]:
    return [summarise(values[:, k], "mean") for k in range(values.shape[1])]
