"""Do the actions matter at all? Neither figure notices a mirrored or a late answer: see `inverse` and `causality`."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.image_metrics.pixels import Video, mse, psnr_db

BLIND_BELOW = 1.5
"""A model with a smaller effect ratio is blind to its actions."""

LEAST_STARTS = 8


def effect_ratio(
    *, other_actions: Sequence[tuple[Video, Video]], other_seeds: Sequence[tuple[Video, Video]]
) -> float | None:
    """How much more frames change with the actions than with the seed, 1 is not at all; None for fewer than 8 starts.

    Pairs of videos [T, h, w, 3] from the same start: with other actions, and with the same actions and another seed.
    """
    if min(len(other_actions), len(other_seeds)) < LEAST_STARTS:
        return None
    by_action, by_seed = (float(np.mean([_apart(*pair) for pair in pairs])) for pairs in (other_actions, other_seeds))
    # One squared grey level keeps a model without randomness finite.
    return sqrt((by_action + 1) / (by_seed + 1))


def psnr_gain_db(*, right: Sequence[Video], wrong: Sequence[Video], reference: Sequence[Video]) -> float | None:
    """By how many decibels the right actions are nearer to what truly follows them than other actions are.

    None for fewer than 8 starts.
    """
    if len(reference) < LEAST_STARTS:
        return None
    return float(np.mean([_psnr(a, y) - _psnr(b, y) for a, b, y in zip(right, wrong, reference, strict=True)]))


def _apart(first: Video, second: Video) -> float:
    if len(first) < 2:
        raise InputError("video", f"{len(first)} frames", "give the first image and one frame or more")
    return float(np.mean([mse(imagined=a, reference=b) for a, b in zip(first[1:], second[1:], strict=True)]))


def _psnr(imagined: Video, reference: Video) -> float:
    shown = zip(imagined[1:], reference[1:], strict=True)
    return float(np.mean([psnr_db(imagined=a, reference=b) for a, b in shown]))
