"""Noise levels, times and solvers of the released family (model_spec 4.1-4.3, 7.1 step 2)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.model.schedule import diffusion_times, distilled_sampler, noise_levels
from lingbot_ros.model.unipc import UniPCConfig, UniPCSampler

DATA = Path(__file__).parents[1] / "data" / "conformance"


@pytest.fixture(scope="module")
def official() -> dict[str, NDArray[Any]]:
    return dict(np.load(DATA / "schedule_rope_time.npz"))


@pytest.mark.parametrize(("steps", "shift"), [(70, 10), (40, 10), (20, 10), (40, 5), (40, 3)])
def test_levels_and_times(official: dict[str, NDArray[Any]], steps: int, shift: int) -> None:
    key = f"k{steps}_s{shift}"
    levels = noise_levels(steps, shift)
    assert np.abs(np.append(levels, 0) - official[f"{key}_sigmas"]).max() < 1e-6
    assert np.array_equal(diffusion_times(levels), official[f"{key}_timesteps"])
    assert np.sum(diffusion_times(levels) >= 947) == official[f"{key}_high_noise_steps"]


ROWS = [
    pytest.param(
        (0, 179, 358, 679),
        10,
        (999, 978, 947, 825),
        (0.9998999, 0.9789710, 0.9479089, 0.8258526),
        (0.9788296, 0.9476930, 0.8251926),
        id="v1 Fast",
    ),
    pytest.param(
        (0, 250, 500, 750),
        10,
        (999, 967, 908, 768),
        (0.9998999, 0.9679494, 0.9089255, 0.7689939),
        (0.9677834, 0.9085941, 0.7680442),
        id="v2 14B",
    ),
    pytest.param(
        (0, 250, 500, 750),
        5,
        (999, 937, 833, 624),
        (0.9997998, 0.9378895, 0.8336104, 0.6246874),
        (0.9375778, 0.8330554, 0.6246874),
        id="v2 1.3B",
    ),
]


@pytest.mark.parametrize(("indices", "shift", "times", "sigmas", "renoise"), ROWS)
def test_rows_of_the_distilled_models(
    indices: tuple[int, ...],
    shift: float,
    times: tuple[int, ...],
    sigmas: tuple[float, ...],
    renoise: tuple[float, ...],
) -> None:
    row = distilled_sampler(indices, shift)
    assert row.timesteps == times and row.forwards == 5
    assert row.sigmas == pytest.approx(sigmas, abs=1e-6)
    assert row.renoise == pytest.approx(renoise, abs=1e-6)


@pytest.mark.parametrize(("steps", "shift"), [(10, 10), (70, 10), (3, 5)])
def test_unipc_follows_the_official_solver(official: dict[str, NDArray[Any]], steps: int, shift: int) -> None:
    key = f"unipc_k{steps}_s{shift}"
    outputs, samples = official[f"{key}_model_outputs"], official[f"{key}_samples"]
    seen: list[tuple[float, Tensor]] = []

    def predict(x: Tensor, time: float) -> Tensor:
        seen.append((time, x))
        return torch.from_numpy(outputs[len(seen) - 1])

    config = UniPCConfig(steps, shift)
    result = UniPCSampler(config).sample(predict, lambda _: torch.from_numpy(official[f"{key}_start"]))
    assert [time for time, _ in seen] == official[f"{key}_timesteps"].tolist() == list(config.timesteps)
    for step, (_, x) in enumerate(seen[1:]):
        assert np.abs(x.numpy() - samples[step]).max() < 1e-5, f"step {step}"
    assert np.abs(result.numpy() - samples[-1]).max() < 1e-5


@pytest.mark.parametrize("bad", [{"steps": 0}, {"shift": 0.0}, {"guidance": 0.5}])
def test_unipc_settings_that_mean_nothing_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least 1 step"):
        UniPCConfig(**({"steps": 4, "shift": 5.0} | bad))


def test_forwards_count_guidance_and_commit_twice() -> None:
    """82 forwards per chunk (model_spec 4.5)."""
    assert UniPCConfig(40, 10.0).forwards == 82
    assert UniPCConfig(20, 10.0, guidance=1.0, commit=False).forwards == 20
