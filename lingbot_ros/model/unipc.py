"""Many-step sampling of a chunk with UniPC, for models that were not distilled (model_spec 4.2, 4.5)."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from lingbot_ros.model.sampler import Noise, Predict
from lingbot_ros.model.schedule import TRAIN_STEPS, diffusion_times, noise_levels, unshifted_levels


@dataclass(frozen=True)
class UniPCConfig:
    """`steps` and `shift` of the noise levels; `guidance` weighs the prompt against `negative_prompt` (1: not at all).

    guidance_low: that of the low-noise expert of models with two; None: the same.

    `commit` as in `SamplerConfig`: models that make one clip in one piece need none. Models of two experts use the
    high-noise one at diffusion times of at least `boundary`.
    """

    steps: int
    shift: float
    guidance: float = 5.0
    guidance_low: float | None = None
    negative_prompt: str = ""
    commit: bool = True
    boundary: float | None = None
    kind: Literal["unipc"] = "unipc"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.shift <= 0 or min(self.guidance, self.low_guidance) < 1:
            raise ValueError(
                f"steps {self.steps}, shift {self.shift}, guidance {self.guidance}: "
                "give at least 1 step, a positive shift and a guidance of at least 1"
            )

    @property
    def low_guidance(self) -> float:
        """Guidance of the low-noise expert."""
        return self.guidance if self.guidance_low is None else self.guidance_low

    @property
    def is_guided(self) -> bool:
        """Whether the negative prompt has an influence."""
        return max(self.guidance, self.low_guidance) > 1

    @property
    def timesteps(self) -> tuple[float, ...]:
        """What is fed to the network at each step."""
        return tuple(float(time) for time in diffusion_times(noise_levels(self.steps, self.shift)))

    @property
    def draws(self) -> int:
        """Noise tensors per chunk."""
        return 1

    @property
    def forwards(self) -> int:
        """Network evaluations per chunk."""
        return (self.steps + self.commit) * (2 if self.is_guided else 1)


class UniPCSampler:
    """Order 2, `bh2`, predicting x0, lower order at the end; a fresh solver for every chunk."""

    def __init__(self, config: UniPCConfig) -> None:
        from diffusers import UniPCMultistepScheduler  # noqa: PLC0415  - a second to import, and few models need it

        self.config = config
        self._new_solver = lambda: UniPCMultistepScheduler(
            num_train_timesteps=TRAIN_STEPS,
            prediction_type="flow_prediction",
            use_flow_sigmas=True,
            flow_shift=config.shift,
            solver_order=2,
            solver_type="bh2",
            final_sigmas_type="zero",
        )

    def initial(self, noise: Noise) -> Tensor:
        """Where sampling starts."""
        return noise(0)

    def sample(self, predict: Predict, noise: Noise) -> Tensor:
        """The clean latent of one chunk, float32. The caller commits the cache afterwards."""
        x = self.initial(noise)
        solver = self._new_solver()
        solver.set_timesteps(sigmas=unshifted_levels(self.config.steps), device=x.device)
        for time in solver.timesteps:
            x = solver.step(predict(x, float(time)), time, x).prev_sample.to(torch.float32)
        return x
