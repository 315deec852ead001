"""Muon for the matrices inside the blocks, AdamW for everything else, one learning-rate schedule for both."""

from collections.abc import Callable

import torch
from torch import nn

from lingbot_ros.training.config import Schedule

FITTED_SHARE = 0.02
"""Of the learning rate, for what was fitted before: the first steps of AdamW would undo it."""


class Optimizer:
    """Both optimisers behind one `step`, with state that can be saved and restored."""

    def __init__(
        self, model: nn.Module, schedule: Schedule, is_fitted: Callable[[str], bool] = lambda _: False
    ) -> None:
        """`is_fitted` names the parameters that were fitted before."""
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        fitted: list[nn.Parameter] = []
        for name, parameter in model.named_parameters():
            inside_block = name.startswith("blocks.") and parameter.ndim == 2
            (matrices if inside_block else fitted if is_fitted(name) else others).append(parameter)
        self._schedule = schedule
        self._parameters = [*matrices, *others, *fitted]
        groups = [{"params": others, "share": 1.0}, {"params": fitted, "share": FITTED_SHARE}]
        self._parts: tuple[torch.optim.Optimizer, ...] = (
            # Updates scaled to AdamW's size, so that one learning rate serves both.
            torch.optim.Muon(
                matrices,
                lr=schedule.learning_rate,
                weight_decay=schedule.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(
                [group for group in groups if group["params"]],
                lr=schedule.learning_rate,
                betas=(0.9, 0.98),
                weight_decay=schedule.weight_decay,
            ),
        )

    def step(self, iteration: int, iterations: int) -> torch.Tensor:
        """Clip, update and clear the gradients; returns their norm before clipping, a scalar on their device."""
        norm = nn.utils.clip_grad_norm_(self._parameters, self._schedule.gradient_clip)
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = group.get("share", 1.0) * learning_rate(self._schedule, iteration, iterations)
            part.step()
            part.zero_grad(set_to_none=True)
        return norm

    def state_dict(self) -> dict[str, object]:
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state: dict[str, list[dict[str, object]]]) -> None:
        for part, saved in zip(self._parts, state["parts"], strict=True):
            part.load_state_dict(saved)


def learning_rate(schedule: Schedule, iteration: int, iterations: int) -> float:
    """Linear warm-up, constant, linear decay to zero over the last part: a finished run can be prolonged."""
    warm = min(1.0, (iteration + 1) / max(schedule.warmup_iterations, 1))
    left = (iterations - iteration) / max(schedule.decay_fraction * iterations, 1)
    return schedule.learning_rate * warm * min(1.0, left)


@torch.no_grad()
def update_ema(average: nn.Module, model: nn.Module, decay: float, iteration: int) -> None:
    """Move the average towards the model; faster early on, so that it is never mostly initial noise."""
    decay = min(decay, (1 + iteration) / (10 + iteration))
    # All at once: a GPU would spend longer on starting hundreds of small operations than on their arithmetic.
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
