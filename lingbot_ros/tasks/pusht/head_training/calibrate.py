"""Making a head's probabilities mean what they say, and showing whether they do."""

from pathlib import Path

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray

matplotlib.use("Agg")

from matplotlib.figure import Figure

_BINS = 10


def fit_platt(logits: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> tuple[float, float]:
    """(slope, offset) that make sigmoid(slope * logit + offset) most likely, found by Newton-like LBFGS."""
    x, y = torch.from_numpy(logits.astype(np.float64)), torch.from_numpy(outcomes.astype(np.float64))
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(line[0] * x + line[1], y)
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call, unused-ignore]
    return float(line[0].detach()), float(line[1].detach())


def reliability(probability: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Bins of equal count: mean probability, observed rate, share of all: [bins, 3]."""
    order = np.argsort(probability, kind="stable")
    return np.array(
        [
            (probability[part].mean(), outcomes[part].mean(), len(part) / len(order))
            for part in np.array_split(order, min(_BINS, len(order)))
        ]
    )


def expected_calibration_error(probability: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> float:
    """Mean distance between what was said and what happened, over bins of equal count."""
    said, happened, share = reliability(probability, outcomes).T
    return float((np.abs(said - happened) * share).sum())


def save_reliability(path: Path, said: NDArray[np.float64], happened: NDArray[np.float64], title: str) -> None:
    """A PNG of said against happened, beside the diagonal of perfect calibration."""
    figure = Figure(figsize=(4, 4), dpi=90, layout="constrained")
    axes = figure.add_subplot()
    axes.plot((0, 1), (0, 1), color="tab:gray", linewidth=1)
    axes.plot(said, happened, marker="o", color="tab:blue")
    axes.set(xlabel="said", ylabel="happened", title=title, xlim=(0, 1), ylim=(0, 1))
    figure.savefig(path)
