"""A world of rigid layers learned from clips alone: images and actions of a scene that a camera at rest looks at.

What moves differs from the usual image; colours that move together are one thing; the thing whose steps the actions
explain is driven, the others are pushed. Outlines and poses are read off the images, and the laws are fitted to those.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from lingbot_ros.datasets.limits import scale
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.contact import ContactLaw
from lingbot_ros.model.rigid_layers.outline import radius_of_gyration
from lingbot_ros.model.rigid_layers.palette import Palette
from lingbot_ros.model.rigid_layers.polygon import Floats
from lingbot_ros.training.rigid_layers.drive_search import Drive, search_drive, smooth
from lingbot_ros.training.rigid_layers.law_fit import ContactFit, ContactSearch, Pushes, fit_contact
from lingbot_ros.training.rigid_layers.moving_colours import find_colours
from lingbot_ros.training.rigid_layers.moving_things import Things, find_things
from lingbot_ros.training.rigid_layers.read_pushes import ReadEpisode, read_pushes
from lingbot_ros.training.rigid_layers.reading import Looks, PoseReader, read_looks
from lingbot_ros.training.rigid_layers.still_camera import Frames, StillScene, find_scene
from lingbot_ros.training.rigid_layers.walls import NO_WALLS, find_walls

_FEWEST_EPISODES, _FEWEST_PUSHES = 8, 40
_SPREAD_FRAMES, _LOOKED_AT = 300, 100
_TRACKED_EPISODES, _READ_FRAMES = 40, 2500
_SPARE = 1.2
_SPARE_PX = 4.0
_SUREST_PX, _SHARPEST_PX = 0.02, 0.05
LEARNED = ("fitted_to", "colours", "ramp_px", "extent_px", "driven")
"""Fields of the configuration that the clips decide."""


@dataclass(frozen=True)
class LearnedLayers:
    """The constants, with the configuration that the clips lead to, and what was found on the way, for people."""

    constants: Constants
    found: dict[str, Any]


def learn_from_clips(clips: ClipSet, config: RigidLayersConfig) -> LearnedLayers:
    """Learn from the training episodes of a set. Raises InputError that says what it lacks."""
    plan, episodes = clips.plan, clips.plan.training
    if plan.dim != 2:
        fix = f"rigid layers are driven by two components; this set has {', '.join(plan.action_names)}"
        raise InputError("--data", f"actions of {plan.dim} components", f"{fix}: create it again with --components")
    if len(episodes) < _FEWEST_EPISODES:
        fix = f"at least {_FEWEST_EPISODES} are needed: record more, or cut shorter ones (--longest)"
        raise InputError("--data", f"{len(episodes)} training episodes", fix)
    frames = _spread_frames(clips)
    scene = find_scene(frames)
    tracked = [(np.array(clips.frames(e)), clips.actions[e]) for e in episodes[:_TRACKED_EPISODES]]
    things = find_things(scene, find_colours(scene, frames), tracked, config.layers)
    palette = Palette(things.colours, things.owners).before(scene.background.astype(np.float64), scene.noise)
    looks = read_looks(palette, frames[:: max(1, len(frames) // _LOOKED_AT)])
    poses, targets = _read(clips, PoseReader(palette, looks))
    drive = search_drive([read[:, 0, :2] for read in poses], targets)
    read, blur = _smoothed(drive, poses, targets)
    constants = _new_constants(config, scene, things, looks, drive, blur)
    contact = _fit_contact(constants, looks, read, blur)
    return LearnedLayers(constants, _report(read, things, scene, looks, drive, contact, constants, blur))


def _spread_frames(clips: ClipSet) -> Frames:
    every = [(episode, k) for episode in clips.plan.training for k in range(clips.plan.steps[episode] + 1)]
    chosen = np.linspace(0, len(every) - 1, min(_SPREAD_FRAMES, len(every))).astype(int)
    return np.stack([clips.frames(every[n][0])[every[n][1]] for n in chosen])


def _read(clips: ClipSet, reader: PoseReader) -> tuple[list[Floats], list[Floats]]:
    """Poses [T+1, K, 3] and targets [T, 2] of as many episodes as are worth their time."""
    poses, targets, frames = [], [], 0
    extent = np.array([clips.plan.width, clips.plan.height])
    for episode in clips.plan.training:
        if frames >= _READ_FRAMES:
            break
        poses.append(reader.read(np.array(clips.frames(episode))))
        scaled = scale(clips.actions[episode], clips.low, clips.high).astype(np.float64)
        targets.append((scaled + 1) / 2 * extent - 0.5)
        frames += len(poses[-1])
    return poses, targets


def _smoothed(drive: Drive, poses: Sequence[Floats], targets: Sequence[Floats]) -> tuple[list[ReadEpisode], float]:
    """And how surely a place is read, pixels: the rms distance from what the law and all the images agree on."""
    blur = max(drive.error_px, _SUREST_PX)
    read = [ReadEpisode(p, *smooth(drive, p[:, 0, :2], t, blur), t) for p, t in zip(poses, targets, strict=True)]
    missed = np.concatenate([episode.poses[:, 0, :2] - episode.place for episode in read])
    return read, max(float(np.sqrt(np.nanmedian(missed**2))) * 1.48, _SUREST_PX)


def _new_constants(
    config: RigidLayersConfig, scene: StillScene, things: Things, looks: Looks, drive: Drive, blur: float
) -> Constants:
    widest = max(float(np.linalg.norm(outline, axis=-1).max()) for outline in (looks.disc(), *looks.outlines))
    extent = 2 * int(np.ceil(_SPARE * widest + _SPARE_PX))
    config = replace(config, fitted_to="images", colours=len(things.colours), ramp_px=looks.ramp_px, extent_px=extent)
    constants = Constants(config, *scene.background.shape[:2])
    constants.colours.copy_(torch.from_numpy(things.colours))
    constants.owners.copy_(torch.from_numpy(things.owners))
    constants.background.copy_(torch.from_numpy(scene.background).permute(2, 0, 1))
    constants.noise.fill_(scene.noise)
    constants.drive.law.copy_(torch.from_numpy(drive.law))
    constants.drive.aim.copy_(torch.from_numpy(drive.aim))
    constants.radius.fill_(looks.radius)
    constants.blur.fill_(blur)
    constants.settle()
    return constants


@dataclass(frozen=True)
class _Contact:
    """The fit, and how many pushes away from walls and other things it was made from."""

    fit: ContactFit
    pushes: int


@torch.inference_mode()
def _fit_contact(constants: Constants, looks: Looks, read: Sequence[ReadEpisode], blur: float) -> _Contact:
    """First as if there were no walls, which few pushes meet; then the walls; then by pushes that meet none."""
    law, contact = ContactLaw(), constants.contact
    height, width = constants.background.shape[1:]
    stages = ((1.0, 0.3), (0.3, 0.05), (max(2 * blur, _SHARPEST_PX), 0.02))
    search = ContactSearch(looks.radius, 1.0, leaning=0.0, stages=stages, margin=0.1)
    rough = replace(search, stages=stages[:2])
    pushes = _pushes(read, looks, constants, NO_WALLS)
    walls = find_walls(law, fit_contact(law, pushes, rough), pushes, (width, height))
    pushes = _pushes(read, looks, constants, walls)
    fit = fit_contact(law, pushes, search)
    for name in ("reach", "slop", "yielding", "walls"):
        getattr(contact, name).copy_(getattr(law, name))
    shapes = [torch.from_numpy(outline).float() for outline in looks.outlines]
    contact.gyration.copy_(fit.gyration * torch.stack([radius_of_gyration(shape) for shape in shapes]))
    constants.leaning.fill_(fit.leaning)
    constants.margin.fill_(fit.margin)
    return _Contact(fit, sum(len(shape.pose) for shape in pushes))


def _pushes(
    read: Sequence[ReadEpisode], looks: Looks, constants: Constants, walls: Sequence[float]
) -> Sequence[Pushes]:
    pushes = read_pushes(read, looks.outlines, constants.drive, looks.radius, walls)
    count = sum(len(shape.pose) for shape in pushes)
    if count < _FEWEST_PUSHES:
        fix = f"{_FEWEST_PUSHES} are needed: record longer, and push more often in the open"
        raise InputError("--data", f"clips with {count} pushes away from walls and other things", fix)
    return pushes


def _report(
    read: Sequence[ReadEpisode],
    things: Things,
    scene: StillScene,
    looks: Looks,
    drive: Drive,
    contact: _Contact,
    constants: Constants,
    blur: float,
) -> dict[str, Any]:
    poses = np.concatenate([episode.poses for episode in read])
    walls = zip(("left", "top", "right", "bottom"), constants.contact.walls.tolist(), NO_WALLS, strict=True)
    return {
        "episodes_read": len(read),
        "frames_read": len(poses),
        "noise_grey": round(scene.noise, 2),
        "colours_of_each_layer": [int((things.owners == k).sum()) for k in range(1, int(things.owners.max()) + 1)],
        "motion_explained_by_actions": {
            "driven_layer": round(things.obeys[0], 3),
            "best_of_the_others": round(things.obeys[1], 3),
        },
        "left_out_px": [round(size) for size in things.left_out_px],
        "frames_not_understood_of_each_layer": [round(float(share), 3) for share in np.isnan(poses[..., 0]).mean(0)],
        "corners_of_each_moved_layer": [len(outline) for outline in looks.outlines],
        "edge_px": looks.ramp_px,
        "disc_misses_of_its_rim": round(looks.disc_error, 3),
        "place_read_to_px": round(blur, 3),
        "drive_error_px_after_12_frames": round(drive.error_px, 3),
        "pushes": contact.pushes,
        "push_error_px_after_3_frames_median": round(contact.fit.error_px, 3),
        "walls_seen": [name for name, wall, none in walls if wall != none],
    }
