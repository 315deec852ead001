"""What predictions are held against."""

from collections.abc import Callable, Sequence

from lingbot_ros.training.pool import Batch

Targets = Callable[[Batch], Sequence[tuple[float, Batch]]]
"""A batch -> shares of the loss, each with the batch whose target it is against. The shares sum to 1."""


def truth(batch: Batch) -> Sequence[tuple[float, Batch]]:
    """What the data say."""
    return ((1.0, batch),)
