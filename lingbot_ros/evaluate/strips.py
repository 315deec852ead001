"""Image strips: what happened, what was imagined, and the imagined with the truth drawn over it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")

from matplotlib.figure import Figure

TRUTH_COLOUR = "#d62728"
_CELL_INCHES = 1.25


@dataclass(frozen=True)
class Strip:
    """One window. real, imagined uint8 [F, H, W, 3]; notes: a short line under each imagined frame.

    overlay: draws the truth over imagined frame number `column` (0-based), on axes whose image is `size` pixels wide;
    where there is one, a third row shows it. source: what the real frames are called.
    """

    title: str
    real: NDArray[np.uint8]
    imagined: NDArray[np.uint8]
    notes: Sequence[str]
    overlay: "Overlay | None" = None
    source: str = "real"

    def rows(self) -> list[tuple[str, NDArray[np.uint8]]]:
        """A label and images for each row."""
        rows = [(self.source, self.real), ("imagined", self.imagined)]
        return rows if self.overlay is None else [*rows, ("imagined,\ntruth in red", self.imagined)]


Overlay = Callable[["matplotlib.axes.Axes", int, int], None]
"""(axes, column, size) -> None."""


def save_strips(path: Path, heading: str, strips: Sequence[Strip], frames: Sequence[int]) -> None:
    """A PNG with rows for each strip: real, imagined, and imagined with the overlay if there is one.

    Columns are the open-loop `frames`, counted from 1.
    """
    # The frames of a strip touch, strips stand apart: a narrow row of nothing above each holds its title.
    heights = [ratio for strip in strips for ratio in (0.34, *(1.0 for _ in strip.rows()), 0.22)]
    size = (_CELL_INCHES * (len(frames) + 0.8), _CELL_INCHES * sum(heights) + 0.6)
    figure = Figure(figsize=size)
    left, top = 0.8 * _CELL_INCHES / size[0], 1 - 0.4 / size[1]
    grid = figure.add_gridspec(
        len(heights),
        len(frames),
        height_ratios=heights,
        wspace=0.03,
        hspace=0.03,
        left=left,
        right=0.995,
        top=top,
        bottom=0.1 / size[1],
    )
    figure.suptitle(heading, fontsize=11, x=left, ha="left", y=1 - 0.1 / size[1])
    first = 0
    for strip in strips:
        rows = strip.rows()
        for column, frame in enumerate(frames):
            for row, (label, picture) in enumerate(rows):
                axis = figure.add_subplot(grid[first + 1 + row, column])
                axis.imshow(np.repeat(np.repeat(picture[column], 2, 0), 2, 1), interpolation="nearest")
                axis.set_xticks([])
                axis.set_yticks([])
                if row == 0:
                    axis.set_title(f"frame {frame}" if column == 0 else f"{frame}", fontsize=8, pad=2)
                if row == 2 and strip.overlay is not None:
                    strip.overlay(axis, column, 2 * picture.shape[1])
                if row == len(rows) - 1:
                    axis.set_xlabel(strip.notes[column], fontsize=7, labelpad=1.5)
                if column == 0:
                    axis.set_ylabel(label, fontsize=8, rotation=0, ha="right", va="center")
        title = figure.add_subplot(grid[first, :])
        title.axis("off")
        title.text(0.0, 0.9, strip.title, fontsize=9, fontweight="bold", va="top", transform=title.transAxes)
        first += len(rows) + 2
    figure.savefig(path, dpi=120)
