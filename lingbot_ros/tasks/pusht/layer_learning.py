"""What a world of rigid layers has to know of Push-T, learned from a data set: images, actions, simulator states.

The simulator's states and the block's true outline serve to find a dozen constants; the world that is made with them
sees images alone.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.outline import area_and_centroid, skewness
from lingbot_ros.model.rigid_layers.outline_fit import fit_disc, fit_outline, rough_contour
from lingbot_ros.model.rigid_layers.palette import unmix
from lingbot_ros.model.rigid_layers.polygon import centroid, nearest, place
from lingbot_ros.model.rigid_layers.sight import largest_part, look
from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, OUTLINE, PUSHER_RADIUS, to_pixels
from lingbot_ros.training.rigid_layers.law_fit import ContactSearch, Pushes, fit_contact, fit_drive
from lingbot_ros.training.rigid_layers.palette_search import find_background, find_palette
from lingbot_ros.training.rigid_layers.walls import usual_stop

Floats = NDArray[np.float64]

_PALETTE_EPISODES = 100
_PALETTE_STRIDE = 8
_TRANSITIONS = 4000
_LOOKS = 200
_CLEAR_PX = 1.0
_CONTROL_HZ = 10.0
_SEARCH = ContactSearch(reach=2.4, gyration=7.0)


@dataclass(frozen=True)
class _Motion:
    """A data set's states in pixels: pusher, velocity [E, T+1, 2] per frame, block [E, T+1, 3], targets [E, T, 2]."""

    pusher: Floats
    velocity: Floats
    block: Floats
    targets: Floats

    @classmethod
    def of(cls, data: PushTDataset, size: int) -> "_Motion":
        block = np.concatenate([to_pixels(data.block[..., :2], size), data.block[..., 2:].astype(np.float64)], -1)
        velocity = data.pusher_velocity.astype(np.float64) * (size / ARENA_SIZE / _CONTROL_HZ)
        return cls(to_pixels(data.pusher, size), velocity, block, _to_targets(data.actions, size))


def _to_targets(actions: NDArray[np.floating], size: int) -> Floats:
    """Where actions point to as a world of layers takes it: from edge to edge of the image."""
    return np.asarray(actions * (size / ARENA_SIZE) - 0.5, np.float64)


def learn_constants(data: PushTDataset, config: RigidLayersConfig, seed: int = 0) -> Constants:
    """The constants of a world of `config`; raises InputError where it does not fit the data."""
    frames = np.concatenate([data.frames(e)[1::_PALETTE_STRIDE] for e in range(min(_PALETTE_EPISODES, len(data)))])
    size = frames.shape[1]
    motion = _Motion.of(data, size)
    targets = np.concatenate([motion.targets[e, ::_PALETTE_STRIDE] for e in range(min(_PALETTE_EPISODES, len(data)))])
    palette = find_palette(frames, targets, config.layers)
    if len(palette.colours) != config.colours:
        raise InputError("colours", config.colours, f"the data set has {len(palette.colours)}; write that")
    constants = Constants(config, size, size)
    constants.colours.copy_(torch.from_numpy(palette.colours))
    constants.owners.copy_(torch.from_numpy(palette.owners))
    constants.background.copy_(torch.from_numpy(find_background(frames, palette)).permute(2, 0, 1))
    constants.drive.law.copy_(torch.from_numpy(_fit_drive(motion)))
    constants.settle()
    rng = np.random.default_rng(seed)
    outline = OUTLINE * (size / ARENA_SIZE)
    _fit_contact(constants, data, motion, outline, rng)
    _fit_looks(constants, data, motion, outline, rng)
    return constants


def _fit_drive(motion: _Motion) -> Floats:
    before, after = np.s_[:, :-1], np.s_[:, 1:]
    flat = [
        array.reshape(-1, 2)
        for array in (
            motion.pusher[before],
            motion.velocity[before],
            motion.targets,
            motion.pusher[after],
            motion.velocity[after],
        )
    ]
    return fit_drive(flat[0], flat[1], flat[2], flat[3], flat[4])


def _fit_contact(
    constants: Constants, data: PushTDataset, motion: _Motion, outline: Floats, rng: np.random.Generator
) -> None:
    """Walls from where corners come to rest, the rest from pushes away from them."""
    corners = np.stack([place(outline, pose) for pose in motion.block.reshape(-1, 3)])
    size = constants.background.shape[-1]
    low, high = corners.min(1), corners.max(1)
    walls = [
        usual_stop(low[:, 0]),
        usual_stop(low[:, 1]),
        size - 1 - usual_stop(size - 1 - high[:, 0]),
        size - 1 - usual_stop(size - 1 - high[:, 1]),
    ]
    constants.contact.walls.copy_(torch.tensor(walls))
    free = ((low > np.array(walls[:2]) + _CLEAR_PX) & (high < np.array(walls[2:]) - _CLEAR_PX)).all(-1)
    free = free.reshape(motion.block.shape[:2])
    episode, step = np.nonzero((data.contact > 0) & free[:, :-1] & free[:, 1:])
    chosen = rng.permutation(len(episode))[:_TRANSITIONS]
    episode, step = episode[chosen], step[chosen]

    def rows(array: Floats, later: int = 0) -> torch.Tensor:
        return torch.from_numpy(array[episode, step + later]).float()

    position, velocity = rows(motion.pusher), rows(motion.velocity)
    _, _, way = constants.drive(position, velocity, rows(motion.targets))
    before = position - velocity / constants.config.substeps
    path = torch.cat((before[:, None], position[:, None], way), dim=1)
    shape = torch.from_numpy(outline).float()
    many = len(episode)
    pushes = Pushes(
        rows(motion.block),
        rows(motion.block, 1),
        shape.expand(many, -1, 2),
        area_and_centroid(shape)[1].expand(many, 2),
        skewness(shape).expand(many, 2),
        path[:, None],
    )
    constants.leaning.fill_(fit_contact(constants.contact, [pushes], _SEARCH).leaning)


def _fit_looks(
    constants: Constants, data: PushTDataset, motion: _Motion, outline: Floats, rng: np.random.Generator
) -> None:
    """How things are drawn, other than they are: beside their place, and larger."""
    ramp, size = constants.config.ramp_px, constants.background.shape[-1]
    offsets: list[list[Floats]] = [[], []]
    radii, margins = [], []
    for _ in range(_LOOKS):
        episode, frame = int(rng.integers(len(data))), int(rng.integers(motion.block.shape[1]))
        shares = unmix(data.frames(episode)[frame], constants.palette)
        pusher = np.array([*motion.pusher[episode, frame], 0.0])
        alone = look(shares.share[0], np.zeros_like(shares.share[0]), pusher)
        if (alone.share > 0.5).sum() < 5:
            continue
        centres, radius = fit_disc([alone], PUSHER_RADIUS * size / ARENA_SIZE, ramp)
        offsets[0].append(centres[0] - pusher[:2])
        radii.append(radius)
        if (shares.share[0] > 0.5).any() and data.contact[episode, max(frame - 1, 0)]:
            continue  # what the pusher hides is no matter here
        contour = rough_contour(shares.share[1] * largest_part(shares.share[1]))
        if not len(contour):
            continue
        middle = centroid(contour)
        fit = fit_outline(contour - middle, [look(shares.share[1], shares.share[0], np.array([*middle, 0.0]))], ramp)
        drawn, true = fit.outline + middle, place(outline, motion.block[episode, frame])
        offset = centroid(drawn) - centroid(true)
        if np.hypot(*offset) < _CLEAR_PX:
            offsets[1].append(offset)
            margins.append(float(np.median(nearest(_along(drawn - offset), true).distance)))
    constants.drawn.copy_(torch.tensor(np.stack([np.median(found, 0) for found in offsets])))
    constants.radius.fill_(float(np.median(radii)))
    constants.margin.fill_(float(np.median(margins)))
    constants.blur.fill_(float(np.std(np.array(offsets[0]), axis=0).mean()))


def _along(outline: Floats) -> Floats:
    parts = np.linspace(0.1, 0.9, 9)[:, None, None]
    return np.asarray(((1 - parts) * outline + parts * np.roll(outline, -1, 0)).reshape(-1, 2))
