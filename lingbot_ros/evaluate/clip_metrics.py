"""How well a model foresees held-back clips of any scene: by the pictures alone, beside what costs nothing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.bootstrap import Summary, summarise

PSNR_CEILING_DB = 60.0
"""Identical pictures have no finite PSNR; a mean over windows needs one."""

LISTENS_DB = 0.1
"""What wrong actions must cost at least before a model counts as listening: less is nothing that anyone could see."""


@dataclass(frozen=True)
class OwnFigures:
    """Figures per open-loop frame, counted from 1.

    psnr_db of the model, of repeating the last real frame, and of the model under another window's actions: means over
    windows. error_ratio: squared error of the model over that of repeating, summed over windows; below 1 the model
    knows more than nothing. shuffled_cost_db: what wrong actions cost, mean over frames, paired by window. trusted: how
    many frames from the first on have an error_ratio below 1.
    """

    windows: int
    psnr_db: dict[str, list[Summary]]
    error_ratio: list[float]
    shuffled_cost_db: Summary
    trusted: int

    @property
    def horizon(self) -> int:
        return len(self.error_ratio)

    @property
    def listens(self) -> bool:
        """Whether wrong actions make it worse: by `LISTENS_DB` or more, beyond doubt."""
        return self.shuffled_cost_db.low > LISTENS_DB


def own_figures(
    real: NDArray[np.uint8], last: NDArray[np.uint8], imagined: NDArray[np.uint8], shuffled: NDArray[np.uint8]
) -> OwnFigures:
    """From the true future `real`, what the model made of it and of wrong actions, all uint8 [N, H, h, w, 3], and the
    last real frames before it, uint8 [N, h, w, 3].
    """
    repeat = np.broadcast_to(last[:, None], real.shape)
    errors = {name: squared_error(frames, real) for name, frames in (
        ("imagined", imagined), ("last_frame_repeated", repeat), ("shuffled_actions", shuffled)
    )}  # fmt: skip
    psnr = {name: psnr_db(error) for name, error in errors.items()}
    summaries = {
        name: [summarise(values[:, k], "mean") for k in range(values.shape[1])] for name, values in psnr.items()
    }
    # Where nothing moves both errors can be nothing: then there was nothing to know.
    ratio = errors["imagined"].sum(axis=0) / np.maximum(errors["last_frame_repeated"].sum(axis=0), 1e-9)
    worse = np.flatnonzero(ratio >= 1)
    cost = summarise((psnr["imagined"] - psnr["shuffled_actions"]).mean(axis=1), "mean")
    return OwnFigures(
        windows=len(real),
        psnr_db=summaries,
        error_ratio=[float(value) for value in ratio],
        shuffled_cost_db=cost,
        trusted=int(worse[0]) if len(worse) else len(ratio),
    )


def squared_error(frames: NDArray[np.uint8], real: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean squared error per picture, [N, H], in squared grey levels."""
    return np.array(
        [
            [np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2) for a, b in zip(row, true, strict=True)]
            for row, true in zip(frames, real, strict=True)
        ]
    )


def psnr_db(error: NDArray[np.float64]) -> NDArray[np.float64]:
    """PSNR of 8-bit pictures with this mean squared error, at most `PSNR_CEILING_DB`."""
    floor = 255.0**2 / 10 ** (PSNR_CEILING_DB / 10)
    return np.asarray(10 * np.log10(255.0**2 / np.maximum(error, floor)))
