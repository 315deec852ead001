"""Colours, the driven thing's law and what a push does are learned before the network, and kept by its training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lingbot_ros.errors import InputError
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.training.config import LayerFitConfig, TrainConfig
from lingbot_ros.training.layer_fit.fit import fit_layers, is_fitted
from lingbot_ros.training.pool import Clip
from lingbot_ros.training.train import Limits, Trainer
from test.support.tiny_model import MOTION
from test.support.tiny_training import BACKGROUND, CONFIG, GoverningDot

SIZE, HALF_BOX, HALF_DOT = 32, 4, 2
NETWORK = replace(MOTION, prediction="layers", moving_layers=2)


class PushedBox:
    """A black dot obeys the action, and shoves a red box along when it walks into it."""

    def sample(self, rng: np.random.Generator) -> Clip:
        dot, box = rng.integers(6, 26, 2), rng.integers(8, 24, 2)
        while np.abs(dot - box).max() < HALF_DOT + HALF_BOX:
            dot = rng.integers(6, 26, 2)
        actions, dots, boxes = [], [dot], [box]
        for _ in range(5):
            step = np.zeros(2, int)
            step[rng.integers(2)] = rng.integers(-3, 4)
            toward = np.sign(boxes[-1] - dots[-1]) * (np.abs(boxes[-1] - dots[-1]) >= HALF_DOT + HALF_BOX)
            if rng.random() < 0.5:
                step = toward * np.array([1, 0] if toward[0] else [0, 1]) * rng.integers(1, 4)
            dot = np.clip(dots[-1] + step, 3, 28)
            step, moved = dot - dots[-1], boxes[-1].copy()
            if np.abs(dot - moved).max() < HALF_DOT + HALF_BOX:
                axis = int(np.abs(step).argmax())
                moved[axis] = dot[axis] + np.sign(step[axis]) * (HALF_DOT + HALF_BOX)
            actions.append(step / 4)
            dots.append(dot)
            boxes.append(moved)
        frames = np.repeat(BACKGROUND[None], 6, axis=0)
        for frame, (x, y), (a, b) in zip(frames, dots, boxes, strict=True):
            frame[max(b - HALF_BOX, 0) : b + HALF_BOX, max(a - HALF_BOX, 0) : a + HALF_BOX] = (255, 0, 0)
            frame[y - HALF_DOT : y + HALF_DOT, x - HALF_DOT : x + HALF_DOT] = 0
        moves = np.stack([np.diff(boxes, axis=0), np.diff(dots, axis=0)], axis=1).astype(np.float32)
        motions = np.concatenate([moves[1:], np.zeros((4, 2, 1), np.float32)], axis=2)
        return Clip(frames, np.array(actions, np.float32), motions)


def box_and_dot(frames: torch.Tensor) -> torch.Tensor:
    red, black = (frames[:, 0] > 0.5) & (frames[:, 1] < -0.5), frames[:, 0] < -0.5
    return torch.stack((~red & ~black, red, black), dim=1).float()


def network() -> CausalWorldTransformer:
    torch.manual_seed(0)
    return CausalWorldTransformer(NETWORK)


def test_what_is_fitted_explains_transitions_that_were_held_back() -> None:
    fit = fit_layers(network(), PushedBox(), box_and_dot, LayerFitConfig(4000, 600), 0, (SIZE, SIZE))
    assert fit.driven_px < 0.3
    assert fit.explained is not None and fit.explained > 0.7
    assert str(fit) == (
        f"rigid layers: the driven one is off by {fit.driven_px:.2f} px a frame, "
        f"pushes explain {fit.explained:.0%} of the others' motions"
    )


def fitting() -> TrainConfig:
    return replace(CONFIG, transformer=NETWORK, layer_fit=LayerFitConfig(200, 5))


def test_a_new_run_fits_and_a_resumed_one_does_not(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    begun = Trainer(fitting(), PushedBox(), BACKGROUND, tmp_path, parts=box_and_dot)
    assert "rigid layers: the driven one is off by" in capfd.readouterr().out
    before = {name: weight.clone() for name, weight in begun.model.named_parameters()}
    resumed = Trainer(fitting(), PushedBox(), BACKGROUND, tmp_path, parts=box_and_dot)
    assert "rigid layers" not in capfd.readouterr().out
    for name, weight in resumed.model.named_parameters():
        assert torch.equal(weight, before[name]), name
    for name, weight in resumed.average.named_parameters():
        assert torch.equal(weight, before[name]), name


def test_what_was_fitted_learns_slowly_afterwards(tmp_path: Path) -> None:
    trainer = Trainer(fitting(), PushedBox(), BACKGROUND, tmp_path, parts=box_and_dot)
    before = {name: weight.clone() for name, weight in trainer.model.named_parameters()}
    trainer.train(Limits(iterations=3))
    moved = {
        name: float((weight - before[name]).detach().abs().max()) for name, weight in trainer.model.named_parameters()
    }
    fitted = [change for name, change in moved.items() if is_fitted(name)]
    others = [change for name, change in moved.items() if name.startswith("pixel_head.")]
    assert 0 < max(fitted) < 0.1 * max(others)


def test_data_that_do_not_know_the_layers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="layer_fit.*these data do not tell"):
        Trainer(fitting(), PushedBox(), BACKGROUND, tmp_path)
    with pytest.raises(InputError, match="layer_fit.*clips without known motions"):
        Trainer(fitting(), GoverningDot(), BACKGROUND, tmp_path, parts=box_and_dot)


def test_a_fit_of_a_network_without_layers_is_refused(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "models" / "pusht-small" / "train.yaml"
    text = shipped.read_text().replace("prediction: layers", "prediction: motion").replace("moving_layers: 2", "")
    (tmp_path / "train.yaml").write_text(text)
    with pytest.raises(InputError, match="layer_fit.*with prediction motion"):
        TrainConfig.load(tmp_path / "train.yaml")
