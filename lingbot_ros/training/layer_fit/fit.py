"""Colours, then the law of the driven layer and what a push does, fitted before the network that uses them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import smooth_l1_loss
from tqdm import tqdm

from lingbot_ros.model.rigid_layers.interaction import REACH_PX
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.training.config import LayerFitConfig
from lingbot_ros.training.layer_fit.colours import fit_colours
from lingbot_ros.training.layer_fit.transitions import Transitions, gather_transitions
from lingbot_ros.training.layer_loss import TURN_RADIUS_PX, PartReader
from lingbot_ros.training.pool import ClipSource

_BATCH = 512
_LEARNING_RATE = 4e-3
_HELD_BACK = 4000
ONE_STEP_TIME = 999.0
"""The diffusion time of pure noise, the only one that a one-step model is trained and run at."""
_FITTED = ("layers.by_colour.", "layers.driven.", "layers.interaction.", "action_embedding.frame.", "time_embedding.")


@dataclass(frozen=True)
class LayerFitResult:
    """On transitions that were held back: the mean error of the driven layer's motion, pixels per frame, and the share
    of the others' motions (variance over all, turns by what they move a typical point) that the pushes explain; None
    for models of one layer."""

    driven_px: float
    explained: float | None

    def __str__(self) -> str:
        pushes = "" if self.explained is None else f", pushes explain {self.explained:.0%} of the others' motions"
        return f"rigid layers: the driven one is off by {self.driven_px:.2f} px a frame{pushes}"


def is_fitted(name: str) -> bool:
    """Whether a parameter of a network with rigid layers is one that `fit_layers` fits."""
    return name.startswith(_FITTED)


def fit_layers(
    model: CausalWorldTransformer,
    source: ClipSource,
    parts: PartReader,
    config: LayerFitConfig,
    seed: int,
    size: tuple[int, int],
) -> LayerFitResult:
    """Fit what `is_fitted` names, for images of `size` (rows, columns).

    Raises InputError for a source that does not know how the layers move.
    """
    device = next(model.parameters()).device
    fit_colours(model.layers, source, parts, config.iterations, seed, device)
    transitions = gather_transitions(model.layers, source, config.transitions, seed, device)
    driven = _fit_driven(model, transitions, config, seed, size)
    explained = None if model.layers.count == 1 else _fit_pushes(model, transitions, config, seed)
    return LayerFitResult(driven, explained)


def _fit_driven(
    model: CausalWorldTransformer, all_of_it: Transitions, config: LayerFitConfig, seed: int, size: tuple[int, int]
) -> float:
    learned = [*model.layers.driven.parameters(), *model.action_embedding.frame.parameters()]

    def missed(index: Tensor) -> Tensor:
        control = model.encode_actions(all_of_it.actions[index][:, None], 1, 1)
        assert control.frame is not None
        time = torch.full((len(index), 1), ONE_STEP_TIME, device=index.device)
        embedded = model.embed_time(time, control.frame).e[:, 0]
        found = model.layers.drive(all_of_it.centre[index], all_of_it.last[index], embedded, size)
        return found - all_of_it.motion[index]

    def loss(index: Tensor) -> Tensor:
        return smooth_l1_loss(missed(index), torch.zeros_like(all_of_it.motion[index]), beta=0.1)

    held = _fit(learned, loss, len(all_of_it.motion), config, seed, "driven layer", all_of_it.motion.device)
    with torch.no_grad():
        return float(missed(held).norm(dim=-1).mean())


def _fit_pushes(model: CausalWorldTransformer, all_of_it: Transitions, config: LayerFitConfig, seed: int) -> float:
    learned = list(model.layers.interaction.parameters())
    unit = all_of_it.pushed.new_tensor((1.0, 1.0, TURN_RADIUS_PX / REACH_PX))

    def missed(index: Tensor) -> Tensor:
        """In pixels."""
        push = model.layers.interaction.push(all_of_it.seen[index].float())
        return (push - all_of_it.pushed[index]) * unit * all_of_it.length[index]

    def loss(index: Tensor) -> Tensor:
        return smooth_l1_loss(missed(index), torch.zeros_like(all_of_it.pushed[index]), beta=0.1)

    held = _fit(learned, loss, len(all_of_it.pushed), config, seed, "pushes", all_of_it.pushed.device)
    with torch.no_grad():
        moved = all_of_it.pushed[held] * unit * all_of_it.length[held]
        return float(1 - missed(held).square().sum() / moved.square().sum().clamp_min(1e-9))


def _fit(
    learned: list[nn.Parameter],
    loss: Callable[[Tensor], Tensor],
    count: int,
    config: LayerFitConfig,
    seed: int,
    name: str,
    device: torch.device,
) -> Tensor:
    """Minimise over batches of all but the first few of `count`; returns which were held back."""
    held = min(_HELD_BACK, count // 10)
    rng = np.random.default_rng([seed, 4])
    optimizer = torch.optim.AdamW(learned, lr=_LEARNING_RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.iterations)
    for _ in tqdm(range(config.iterations), desc=name, unit="it"):
        index = torch.from_numpy(rng.integers(held, count, min(_BATCH, count - held))).to(device)
        value = loss(index)
        value.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
    return torch.arange(held, device=device)
