"""Which colours move together as one thing, and which of the things obeys the actions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.training.rigid_layers.still_camera import Frames, StillScene

Floats = NDArray[np.float64]

_TOGETHER = 0.25
"""The distance of two colours of one thing varies by less than this share of what it would if they knew nothing of each
other: if each were where it is in another frame."""
_UNHIDDEN = 0.7
"""A colour with less than this share of its usual number of pixels is partly hidden; its centre says little."""
_FEWEST_FRAMES = 20
_FEWEST_PX = 6.0
_LEAST_TRAVEL_PX = 1.0
_OBEYS = 0.5
"""What obeys has at least this share of what its past does not explain of its squared steps explained by actions."""


@dataclass(frozen=True)
class Things:
    """colours [P, 3] and owners [P]: 1 the driven thing, 2.. the others by size; what else was found to move.

    obeys: of the driven one and the best of the others, how much of its motion the actions explain, 0..1.
    """

    colours: Floats
    owners: NDArray[np.int64]
    obeys: tuple[float, float]
    left_out_px: tuple[float, ...]


def find_things(
    scene: StillScene, colours: Floats, episodes: Sequence[tuple[Frames, NDArray[np.float32]]], layers: int
) -> Things:
    """Sort colours [P, 3] into `layers` things by episodes (frames [T+1, H, W, 3], actions [T, 2]).

    Raises InputError when fewer things move, or none of them follows the actions.
    """
    near = 0.5 * float(min((np.linalg.norm(a - b) for i, a in enumerate(colours) for b in colours[:i]), default=1e3))
    tracks = [_track(scene, colours, frames, max(near, 4 * scene.noise)) for frames, _ in episodes]
    groups = _together(np.concatenate(tracks))
    things = []
    for group in groups:
        merged = [_merged(track, group) for track in tracks]
        size = float(np.median(np.concatenate(merged)[:, 2]))
        travel = max((_travel(track) for track in merged), default=0.0)
        if size >= _FEWEST_PX and travel >= _LEAST_TRAVEL_PX:
            things.append((group, size, _obedience(merged, [actions for _, actions in episodes])))
    if len(things) < layers:
        what = f"{len(things)} things were found to move"
        fix = "give at most as many, or clips in which each of them moves; things of one colour are not told apart"
        raise InputError("rigid_layers.layers", f"{layers}, but {what}", fix)
    things.sort(key=lambda thing: -thing[2])
    driven, others = things[0], sorted(things[1:], key=lambda thing: -thing[1])
    if driven[2] < _OBEYS:
        what = f"actions that explain {max(driven[2], 0.0):.0%} of the motion of what follows them best"
        fix = "one thing must move as they say; is there an offset between actions and images (--action-offset)?"
        raise InputError("--data", what, fix)
    kept = [driven, *others[: layers - 1]]
    owners = np.zeros(len(colours), np.int64)
    for number, (group, _, _) in enumerate(kept, 1):
        owners[group] = number
    known = owners > 0
    second = max(thing[2] for thing in others)
    left_out = tuple(thing[1] for thing in others[layers - 1 :])
    return Things(colours[known], owners[known], (driven[2], second), left_out)


def _track(scene: StillScene, colours: Floats, frames: Frames, near: float) -> Floats:
    """Centre and number of the pixels of every colour in every frame: [T+1, P, 3]."""
    covered = scene.covered(frames)
    found = np.full((len(frames), len(colours), 3), np.nan)
    found[..., 2] = 0
    for k, where in enumerate(covered):
        rows, columns = np.nonzero(where)
        if not len(rows):
            continue
        apart = np.linalg.norm(frames[k][rows, columns].astype(np.float64)[:, None] - colours, axis=-1)
        label = np.where(apart.min(-1) < near, apart.argmin(-1), -1)
        for index in range(len(colours)):
            mine = label == index
            if mine.any():
                found[k, index] = columns[mine].mean(), rows[mine].mean(), mine.sum()
    return found


def _together(track: Floats) -> list[list[int]]:
    """Groups of colours whose centres keep their distance, the largest colour first in each."""
    usual = np.median(track[..., 2], axis=0)
    groups: list[list[int]] = []
    for colour in np.argsort(-usual):
        spreads = [_spread(track, int(colour), group[0], usual) for group in groups]
        if spreads and min(spreads) < _TOGETHER:
            groups[int(np.argmin(spreads))].append(int(colour))
        else:
            groups.append([int(colour)])
    return groups


def _spread(track: Floats, one: int, other: int, usual: Floats) -> float:
    """How much the distance of two colours varies, of what it would if they were not of one thing."""
    pair, least = track[:, [one, other]], np.maximum(_UNHIDDEN * usual[[one, other]], 1)
    first, second = np.moveaxis(pair[(pair[..., 2] >= least).all(-1), :, :2], 1, 0)
    if len(first) < _FEWEST_FRAMES:
        return float("inf")
    elsewhere = second[np.random.default_rng(0).permutation(len(second))]
    low, high = np.quantile(np.linalg.norm(np.stack([second, elsewhere]) - first, axis=-1), (0.1, 0.9), axis=1)
    together, apart = high - low
    return float(together / max(apart, 1e-9))


def _merged(track: Floats, group: list[int]) -> Floats:
    """Centre and number of pixels [T+1, 3] of a group of colours."""
    count = track[:, group, 2]
    total = count.sum(-1)
    centre = (np.nan_to_num(track[:, group, :2]) * count[..., None]).sum(1)
    return np.concatenate(
        [np.where(total[:, None] > 0, centre / np.maximum(total, 1)[:, None], np.nan), total[:, None]], -1
    )


def _travel(track: Floats) -> float:
    """How far [px] a thing gets from where it began, at the middle of its way out: robust against what hides it."""
    whole = track[track[:, 2] >= _UNHIDDEN * max(np.median(track[:, 2]), 1)]
    if len(whole) < 2:
        return 0.0
    return float(np.quantile(np.linalg.norm(whole[:, :2] - whole[0, :2], axis=-1), 0.9))


def _obedience(tracks: Sequence[Floats], actions: Sequence[NDArray[np.float32]]) -> float:
    """Which share of what a thing's own past does not explain of its steps, squared, the actions do."""
    steps, own, given = [], [], []
    for track, taken in zip(tracks, actions, strict=True):
        place = track[:, :2]
        steps.append(place[2:] - place[1:-1])
        own.append(np.concatenate([place[1:-1], place[:-2], np.ones((len(place) - 2, 1))], -1))
        given.append(np.concatenate([taken[1:], taken[:-1]], -1))
    step, past, action = np.concatenate(steps), np.concatenate(own), np.concatenate(given)
    seen = np.isfinite(step).all(-1) & np.isfinite(past).all(-1)
    step, past, action = step[seen], past[seen], action[seen]
    alone = _left(past, step) if len(step) >= _FEWEST_FRAMES else 0.0
    return 1 - _left(np.concatenate([past, action], -1), step) / alone if alone > 0 else 0.0


def _left(known: Floats, wanted: Floats) -> float:
    solution, *_ = np.linalg.lstsq(known, wanted, rcond=None)
    return float(((wanted - known @ solution) ** 2).sum())
