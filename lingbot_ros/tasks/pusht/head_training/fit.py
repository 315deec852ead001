"""The training loop that both heads share."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from tqdm import tqdm


def fit(network: nn.Module, loss_of_batch: Callable[[int], Tensor], iterations: int, quiet: bool = False) -> None:
    """AdamW on `loss_of_batch(iteration)`, one-cycle learning rate; changes `network` in place."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=iterations)
    network.train()
    with tqdm(range(iterations), unit="it", disable=quiet) as bar:
        for iteration in bar:
            loss = loss_of_batch(iteration)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            if iteration % 50 == 0:
                bar.set_postfix(loss=f"{float(loss.detach()):.4f}")
    network.eval()


def disturb(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Blur and noise of random strength per image [B, 3, H, W]: imagined images are never as sharp as real ones."""
    count = len(pictures)
    strength = torch.rand(count, 1, 1, 1, generator=generator)
    soft = nn.functional.avg_pool2d(pictures, 3, stride=1, padding=1, count_include_pad=False)
    noise = torch.randn(pictures.shape, generator=generator)
    return pictures + 0.5 * strength.square() * (soft - pictures) + 0.04 * strength * noise
