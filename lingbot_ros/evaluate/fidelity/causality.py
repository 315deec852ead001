"""When do actions take effect? Two rollouts whose actions differ from one step on tell."""

from lingbot_ros.evaluate.image_metrics.pixels import Video, mse

_VISIBLE_MSE = 4.0
"""Squared grey levels: a change that can be seen."""


def looks_ahead(first: Video, second: Video, step: int, frames_per_action: int = 1) -> bool:
    """Whether frames differ before the first action that does, action `step`. For a model that draws no numbers, or
    with the same seed. Videos [T, h, w, 3]; frame 0 is the first image, and action 0 leads from it to the next.
    """
    known = step * frames_per_action + 1
    return bool((first[:known] != second[:known]).any())


def latency_frames(first: Video, second: Video, step: int, frames_per_action: int = 1) -> int | None:
    """How many frames later than possible the change shows; 0 is at once. None if it never does."""
    begin = step * frames_per_action + 1
    for frame in range(begin, len(first)):
        if mse(imagined=first[frame], reference=second[frame]) > _VISIBLE_MSE:
            return frame - begin
    return None
