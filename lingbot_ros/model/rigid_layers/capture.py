"""From real frames to a world of layers, and from every further frame to a sharper one."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.outline import area_and_centroid, inset, skewness
from lingbot_ros.model.rigid_layers.outline_fit import (
    explains,
    fit_outline,
    refit,
    register,
    rough_contour,
    share_error,
)
from lingbot_ros.model.rigid_layers.palette import Shares, unmix
from lingbot_ros.model.rigid_layers.polygon import Floats, area, centroid, unplace
from lingbot_ros.model.rigid_layers.sight import Sight, largest_part, look
from lingbot_ros.model.rigid_layers.state import Bodies, LayerState
from lingbot_ros.model.rigid_layers.texture import develop, gather
from lingbot_ros.model.rigid_layers.variants import advance_all, around, not_understood

_FEWEST_PX = 5
_LEAST_AREA_PX = 1.0
_UNHIDDEN = 0.02
_UNSURE_SPEED_PX = 25.0
"""How fast a driven layer may be going in the very first frame, pixels per frame."""
_STRANGE_GREY = 10.0
_LOST_FACTOR, _LOST_SHARES = 1.7, 8.0
"""A fit is wrong when it leaves this many times what the first image left, and so many pixels more."""
_TURNS = 7


@dataclass
class _Layer:
    """One layer while it is being worked on, in float64; poses are as drawn."""

    pose: Floats
    outline: Floats
    paint: Floats
    sights: list[Sight]


class Capture:
    """Makes states of frames uint8 [H, W, 3] of the constants' data set."""

    def __init__(self, constants: Constants) -> None:
        self._constants, self._config = constants, constants.config
        self._drawn = constants.drawn.double().numpy()
        angles = np.arange(self._config.corners) * (2 * np.pi / self._config.corners)
        # As large as the disc, not inside of it.
        radius = float(constants.radius) * np.sqrt(
            2 * np.pi / self._config.corners / np.sin(2 * np.pi / self._config.corners)
        )
        self._disc = radius * np.stack([np.cos(angles), np.sin(angles)], -1)

    def start(self, frame: NDArray[np.uint8]) -> LayerState:
        """A world at rest. Raises InputError when a layer is not to be seen."""
        config, shares = self._config, unmix(frame, self._constants.palette)
        self._require_scene(frame)
        state = LayerState.empty(config, *frame.shape[:2])
        layers = [self._first_sight(shares, index) for index in range(config.layers)]
        image, seen = self._first_background(frame, shares)
        state = replace(state, background=torch.from_numpy(image)[None], seen=torch.from_numpy(seen)[None])
        for index in range(config.driven):
            state.doubt[0, index] = torch.diag(torch.tensor((float(self._constants.blur) ** 2, _UNSURE_SPEED_PX**2)))
        self._remember(state, shares, [layer.pose for layer in layers], 0)
        state.sight_count.fill_(1)
        poses = torch.stack([_tensor(layer.pose) for layer in layers])
        poses[:, :2] -= self._constants.drawn
        state = self._written(state, layers, replace(state.bodies, poses=poses[None]), shares)
        return state.moved(state.bodies, around(self._constants, state.bodies))

    def observe(self, state: LayerState, frame: NDArray[np.uint8], targets: Tensor) -> LayerState:
        """The world (one row) a frame later: targets [1, driven, 2] led to what is really seen in `frame`."""
        shares = unmix(frame, self._constants.palette)
        predicted, variants = advance_all(self._constants, state.bodies, state.variants, targets)
        state = state.moved(predicted, variants)
        state = LayerState.of({name: tensor.clone() for name, tensor in state.tensors().items()})
        layers = self._layers(state)
        poses, velocities = predicted.poses.clone(), predicted.velocities.clone()
        trusted = True
        for index, layer in enumerate(layers):
            sight = self._look(shares, index, layer.pose)
            if (sight.share > 0.5).sum() < _FEWEST_PX:
                trusted = False
                continue
            if index < self._config.driven:
                layer.pose = self._find_driven(layer, sight, shares.share[index])
                place_px = _tensor(layer.pose[:2]) - self._constants.drawn[index]
                poses[0, index, :2], velocities[0, index] = self._correct(state, index, place_px, velocities[0, index])
            else:
                layer.pose, found = self._find(layer, sight, shares.share[index])
                trusted &= found
                poses[0, index] = _tensor(layer.pose)
                poses[0, index, :2] -= self._constants.drawn[index]
        if trusted:
            slot = self._slot(state, layers)
            self._remember(state, shares, [layer.pose for layer in layers], slot)
            state.sight_count.clamp_(min=slot + 1)
            for index in range(self._config.driven, self._config.layers):
                layer = layers[index]
                sights = self._kept(state, index)
                self._sharpen(layer, sights, shares.share[index], slot)
                poses[0, index] = _tensor(layer.pose)
                poses[0, index, :2] -= self._constants.drawn[index]
                for number, sight in enumerate(layer.sights):
                    state.sight_poses[0, number, index] = _tensor(sight.pose)
        known = _uncovered(shares)
        state.background[0][known] = torch.from_numpy(frame[known])
        state.seen[0] |= torch.from_numpy(known)
        bodies = replace(predicted, poses=poses, velocities=velocities)
        state = self._written(state, layers, bodies, shares if trusted else None)
        seen_anew = around(self._constants, state.bodies) if trusted else not_understood(variants)
        return state.moved(state.bodies, seen_anew)

    def _require_scene(self, frame: NDArray[np.uint8]) -> None:
        """Raise InputError for an image of another scene than the one whose background is known."""
        ground, most = self._constants.palette.ground, _STRANGE_GREY
        if ground is not None and np.median(np.abs(frame - ground).max(-1)) > most + float(self._constants.noise):
            fix = "give one of the camera that the model was trained on: it has not moved, and the light is the same"
            raise InputError("image", "one of another scene", fix)

    def _first_sight(self, shares: Shares, index: int) -> _Layer:
        share = shares.share[index]
        part = cv2.dilate(largest_part(share).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        contour = rough_contour(share * part)
        if part.sum() < _FEWEST_PX or not len(contour):
            raise _not_seen(index)
        middle = centroid(contour)
        sight = self._look(shares, index, np.array([*middle, 0.0]))
        if index < self._config.driven:
            found = register(self._disc, sight, self._config.ramp_px, turns=False)
            outline, pose = self._disc, found.poses[0]
        else:
            outline = fit_outline(contour - middle, [sight], self._config.ramp_px).outline
            if area(outline) < _LEAST_AREA_PX:  # that of dots has no centre
                raise _not_seen(index)
            shift = centroid(outline)
            outline, pose = outline - shift, np.array([*(middle + shift), 0.0])
        side = self._config.texture_side
        return _Layer(pose, outline, np.zeros((4, side, side)), [sight.at(pose)])

    def _look(self, shares: Shares, index: int, pose: Floats) -> Sight:
        return look(shares.share[index], shares.share[:index].sum(0), pose)

    def _find_driven(self, layer: _Layer, sight: Sight, share: Floats) -> Floats:
        rows, columns = np.nonzero(largest_part(share))
        seen = np.array([columns.mean(), rows.mean(), 0.0]) if len(rows) else layer.pose
        begin = layer.pose if np.hypot(*(seen - layer.pose)[:2]) < 2.0 else seen
        return register(layer.outline, sight.at(begin), self._config.ramp_px, turns=False).poses[0]

    def _find(self, layer: _Layer, sight: Sight, share: Floats) -> tuple[Floats, bool]:
        """Where a moved layer is, and whether it fits there as it did at first."""
        ramp = self._config.ramp_px
        usual = share_error(layer.outline, layer.sights[:1], ramp)
        limit = _LOST_FACTOR * usual + _LOST_SHARES
        best = register(layer.outline, sight, ramp)
        if best.error > limit:
            rows, columns = np.nonzero(largest_part(share))
            middle = np.array([columns.mean(), rows.mean()]) if len(rows) else layer.pose[:2]
            for turn in range(_TURNS):
                begin = np.array([*middle, layer.pose[2] + turn * 2 * np.pi / _TURNS])
                best = min(best, register(layer.outline, sight.at(begin), ramp, rounds=20), key=lambda fit: fit.error)
        return best.poses[0], best.error <= limit

    def _correct(self, state: LayerState, index: int, seen: Tensor, velocity: Tensor) -> tuple[Tensor, Tensor]:
        """Place and velocity [2] of a driven layer: the prediction weighed against what was seen (Kalman 1960)."""
        law = self._constants.drive.law[:, :2]
        doubt = law @ state.doubt[0, index] @ law.T + 1e-5 * torch.eye(2)
        gain = doubt[:, 0] / (doubt[0, 0] + self._constants.blur**2)
        state.doubt[0, index] = doubt - gain[:, None] * doubt[:1]
        missed = seen - state.bodies.poses[0, index, :2]
        return state.bodies.poses[0, index, :2] + gain[0] * missed, velocity + gain[1] * missed

    def _slot(self, state: LayerState, layers: list[_Layer]) -> int:
        """Where to keep this frame: a free place, else that of the one whose poses are nearest, never the first."""
        count = int(state.sight_count)
        if count < self._config.sights:
            return count
        new = torch.stack([_tensor(layer.pose) for layer in layers])[self._config.driven :]
        kept = state.sight_poses[0, 1:, self._config.driven :]
        apart = (kept - new) * torch.tensor((1.0, 1.0, self._config.extent_px / 4))
        return 1 + int(apart.square().sum((1, 2)).argmin())

    def _remember(self, state: LayerState, shares: Shares, poses: list[Floats], slot: int) -> None:
        state.sights[0, slot] = torch.from_numpy(np.rint(shares.share * 255).astype(np.uint8))
        state.sight_poses[0, slot] = torch.stack([_tensor(pose) for pose in poses])

    def _kept(self, state: LayerState, index: int) -> list[Sight]:
        sights = []
        for number in range(int(state.sight_count)):
            share = state.sights[0, number].numpy() / 255.0
            pose = state.sight_poses[0, number, index].double().numpy()
            sights.append(look(share[index], share[:index].sum(0), pose))
        return sights

    def _layers(self, state: LayerState) -> list[_Layer]:
        layers = []
        for index in range(self._config.layers):
            pose = state.bodies.poses[0, index].double().numpy().copy()
            pose[:2] += self._drawn[index]
            outline = _without_repeats(state.outlines[0, index].double().numpy())
            sights = self._kept(state, index) if index >= self._config.driven else []
            layers.append(_Layer(pose, outline, state.paint[0, index].double().numpy(), sights))
        return layers

    def _sharpen(self, layer: _Layer, sights: list[Sight], share: Floats, newest: int) -> None:
        """Fit outline and poses to all the sights together; keep the old ones where that goes wrong."""
        ramp = self._config.ramp_px
        fit = refit(layer.outline, sights, ramp)
        if not explains(fit):
            part = cv2.dilate(largest_part(share).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            contour = unplace(rough_contour(share * part), layer.pose)
            fit = min(fit, fit_outline(contour, sights, ramp), key=lambda fit: fit.error)
        layer.sights = sights
        if (
            fit.error <= share_error(layer.outline, sights, ramp) + len(sights)
            and len(fit.outline) <= self._config.corners
        ):
            layer.outline, layer.pose = fit.outline, fit.poses[newest]
            layer.sights = [sight.at(pose) for sight, pose in zip(sights, fit.poses, strict=True)]

    def _first_background(
        self, frame: NDArray[np.uint8], shares: Shares
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The image behind the layers [H, W, 3]: what is seen, else what the data set has there, else a guess."""
        seen = _uncovered(shares)
        prior = np.moveaxis(self._constants.background.numpy(), 0, -1)
        if np.abs(prior.astype(np.float64) - frame)[seen].mean() > _STRANGE_GREY:
            prior = cv2.inpaint(frame, (~seen).astype(np.uint8), 3, cv2.INPAINT_TELEA)
        return np.where(seen[..., None], frame, prior), seen

    def _written(self, state: LayerState, layers: list[_Layer], bodies: Bodies, shares: Shares | None) -> LayerState:
        solids, centres = torch.zeros_like(bodies.solids), torch.zeros_like(bodies.centres)
        for index, layer in enumerate(layers):
            if shares is not None:
                certain = (shares.share[index] > 0.5) & (shares.share[:index].sum(0) < _UNHIDDEN)
                layer.paint = gather(layer.paint, shares.colour[index], certain, layer.pose, self._config)
                state.paint[0, index] = _tensor(layer.paint)
                state.textures[0, index] = torch.from_numpy(develop(layer.paint, layer.outline, self._config))
            outline = torch.from_numpy(layer.outline)
            state.outlines[0, index] = self._padded(outline)
            solids[0, index] = self._padded(inset(outline, self._constants.margin.double()))
            centres[0, index] = (area_and_centroid(outline)[1] + self._constants.leaning * skewness(outline)).float()
        return state.moved(replace(bodies, solids=solids, centres=centres), state.variants)

    def _padded(self, outline: Tensor) -> Tensor:
        more = self._config.corners - len(outline)
        return torch.cat((outline, outline[-1:].expand(more, 2))).float()


def _not_seen(index: int) -> InputError:
    return InputError("image", f"one without layer {index + 1}", "give an image in which every thing is to be seen")


def _uncovered(shares: Shares) -> NDArray[np.bool_]:
    """Pixels [H, W] that are nothing but background: a trace of a layer may reach one pixel beyond what it covers."""
    covered = (shares.share.sum(0) > _UNHIDDEN / 2).astype(np.uint8)
    return np.asarray(cv2.dilate(covered, np.ones((3, 3), np.uint8)) == 0)


def _tensor(values: Floats) -> Tensor:
    return torch.from_numpy(np.asarray(values)).float()


def _without_repeats(outline: Floats) -> Floats:
    kept = np.linalg.norm(outline - np.roll(outline, 1, 0), axis=-1) > 0
    return outline[kept]
