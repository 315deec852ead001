"""Few-step sampling of one chunk, with an optional clean forward that commits it to the cache (model_spec 4.4)."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from lingbot_ros.model.config import Prediction

Predict = Callable[[Tensor | None, float], Tensor]
"""(noisy latent or None where none is read, diffusion time) -> what the network predicts; writes the chunk's slots."""

Noise = Callable[[int], Tensor]
"""Draw number -> fresh noise of the latent's shape."""


@dataclass(frozen=True)
class SamplerConfig:
    """One row of a distilled sampler's table (model_spec 4.3).

    `timesteps[j]` is fed to the network, `sigmas[j]` turns its prediction into x0, and before step j > 0 the latent
    is re-noised to `renoise[j - 1]`. `commit` runs the network once more on the result at time 0, so that later chunks
    attend to clean keys; without it they attend to those of the last step.
    """

    timesteps: tuple[float, ...]
    sigmas: tuple[float, ...]
    renoise: tuple[float, ...] = ()
    commit: bool = True

    def __post_init__(self) -> None:
        steps = len(self.timesteps)
        if not steps or len(self.sigmas) != steps or len(self.renoise) != steps - 1:
            raise ValueError(
                f"{steps} timesteps need {steps} sigmas and {max(steps - 1, 0)} renoise levels, "
                f"got {len(self.sigmas)} and {len(self.renoise)}"
            )

    def one_step(self) -> "SamplerConfig":
        """The first step alone: several times faster, with about 97 % of the way in it (model_spec 4.6)."""
        return SamplerConfig(self.timesteps[:1], self.sigmas[:1], commit=self.commit)

    @property
    def draws(self) -> int:
        """Noise tensors per chunk."""
        return len(self.timesteps)

    @property
    def forwards(self) -> int:
        """Network evaluations per chunk."""
        return len(self.timesteps) + self.commit


class FewStepSampler:
    """Predict x0, re-noise, repeat; no guidance."""

    def __init__(self, config: SamplerConfig, prediction: Prediction) -> None:
        self.config, self._prediction = config, prediction

    def sample(self, predict: Predict, noise: Noise) -> Tensor:
        """The clean latent of one chunk, float32. The caller commits the cache afterwards."""
        config = self.config
        x = self.initial(noise)
        for step, (timestep, sigma) in enumerate(zip(config.timesteps, config.sigmas, strict=True)):
            x0 = self.clean(x, predict(x, timestep), sigma)
            if x is not None and step + 1 < len(config.timesteps):
                level = config.renoise[step]
                x = (1 - level) * x0 + level * noise(step + 1)
        return x0

    def initial(self, noise: Noise) -> Tensor | None:
        """Where sampling starts; None for models that read no noise, so that none is drawn."""
        return noise(0) if self._prediction == "velocity" else None

    def clean(self, x: Tensor | None, prediction: Tensor, sigma: float) -> Tensor:
        """x0 from what the network said about x at noise level sigma; float64 inside, as the released sampler does.

        Without an x the network said x0 itself.
        """
        if x is not None:
            return (x.double() - sigma * prediction.double()).float()
        return prediction.clamp(-1, 1)
