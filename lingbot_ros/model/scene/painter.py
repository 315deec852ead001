"""What nobody has seen: a plausible room in the same materials. Nothing here generates texture; it is carried.

A hole needs three answers: where the surface is (the depth network's guess, straightened by `layout`), which surface it
is, and how brightly it is lit (as the nearest known pixel of that surface). Colour then comes from the surface's tile.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose, to_world
from lingbot_ros.model.scene.depth_network import RAY_X, DepthNetwork, condition
from lingbot_ros.model.scene.floor_plan import FloorPlan
from lingbot_ros.model.scene.frame import PAINTED, REAL, UNKNOWN, Drawn
from lingbot_ros.model.scene.keyframes import Keyframe
from lingbot_ros.model.scene.layout import find_layout
from lingbot_ros.model.scene.render import View
from lingbot_ros.model.scene.room_planes import LevelView, RoomPlanes
from lingbot_ros.model.scene.surfaces import (
    NONE,
    SURFACES,
    WALL,
    Upright,
    coordinates,
    find_upright,
    inner,
)
from lingbot_ros.model.scene.tiles import Tiles

_RIM_PX = 5.0
"""Pixels of a small hole this near what is known take its colour: a tile's would be further off in the mean."""
_SPECK_PX, _SOLID_PX = 5, 11
_NEAR_SHARE = 0.08
"""What of a real image is this near to a plane of the room, as a share of its distance, is put into it."""
_HIDES_SHARE, _HIDES_M = 1.1, 0.15
"""A wall hides what is so much further away: a share of its distance, and metres."""
_DARKEST, _BRIGHTEST = 0.6, 1.5
"""Light on a painted surface against its tile."""


class Painter:
    """Measures real images and completes views with holes, with one network. Holds no state of a session."""

    def __init__(self, network: DepthNetwork, lens: Pinhole) -> None:
        self._network, self.lens = network, lens
        self._rays = lens.rays()
        self._network_rays = torch.from_numpy(np.moveaxis(self._rays[..., :2], -1, 0)[None].copy())

    def measured(self, image: NDArray[np.uint8], pose: Pose, upright: Upright | None) -> tuple[Keyframe, Upright]:
        """A real image uint8 [H, W, 3] as a keyframe, and what it tells of the room if nothing is known of it.

        Its disparity is predicted; what lies near a plane of the room is put into that plane.
        """
        everything = np.ones(image.shape[:2], bool)
        disparity = self.disparity_of(image)
        found = find_upright(to_world(self._rays / disparity[..., None], pose), pose[1, 3])
        room = found if upright is None else upright.with_heights_of(found)
        view = LevelView(self.lens, pose, room)
        planes = view.planes(find_layout(view.bearings, view.profile(disparity, everything), np.zeros((0, 5))))
        near = np.abs(np.log(disparity / planes.disparity)) < _NEAR_SHARE
        keyframe = Keyframe(
            image.copy(),
            np.where(near, planes.disparity, disparity).astype(np.float32),
            np.where(near, planes.surface, NONE).astype(np.uint8),
            pose.copy(),
        )
        return keyframe, room

    def disparity_of(self, image: NDArray[np.uint8]) -> Floats:
        """What the network says of a real image and of its mirror image, together: [H, W]."""
        everything = np.ones(image.shape[:2], bool)
        question = self._inputs(image, everything, np.zeros(image.shape[:2], np.float32), ~everything)
        mirrored = question.flip(-1)
        mirrored[:, RAY_X] *= -1
        straight, back = self.answers(torch.cat((question, mirrored)))
        return np.asarray(np.sqrt(straight * back[:, ::-1]), np.float32)

    def write_tiles(self, tiles: Tiles, frame: Keyframe, upright: Upright) -> None:
        """Let a real keyframe show what surfaces look like."""
        chosen = inner(frame.surface, 7)
        if chosen.any():
            points = to_world(self._rays / frame.disparity[..., None], frame.pose)
            at = coordinates(points[chosen], frame.surface[chosen], upright, frame.pose[1, 3])
            length, _ = self._footprint(frame.disparity, points, frame.pose, frame.surface, upright)
            tiles.write(frame.surface[chosen], at, frame.colour[chosen], length[chosen])

    def surveyed(self, frame: Keyframe, plan: FloorPlan, upright: Upright) -> FloorPlan:
        """The plan with the walls that a real keyframe shows."""
        view = LevelView(self.lens, frame.pose, upright)
        profile = view.profile(frame.disparity, np.ones(frame.disparity.shape, bool))
        if not np.isfinite(profile).any():
            return plan
        return plan.with_real_view(view.bearings, find_layout(view.bearings, profile, plan.pieces), view.span)

    def question(self, drawn: Drawn) -> Tensor:
        """What the network is asked of a view of which not all is known: [1, 8, H, W]."""
        known = drawn.origin != UNKNOWN
        colour = np.where(known[..., None], drawn.colour, 0).astype(np.uint8)
        return self._inputs(colour, known, np.where(known, drawn.disparity, 0).astype(np.float32), known)

    def drawn(self, view: View, planes: RoomPlanes, pose: Pose, tiles: Tiles, upright: Upright) -> Drawn:
        """The view with the room drawn where nothing real is remembered, or where a wall hides it.

        The rims of holes take what is next to them: cracks and edges are no more than that.
        """
        far = np.maximum(view.disparity, 0.05)
        in_front = (planes.disparity > _HIDES_SHARE * far) & (1 / far - 1 / planes.disparity > _HIDES_M)
        hidden = view.known & planes.hides & in_front
        real = _without_specks(view.known & ~hidden, _SPECK_PX)
        holes = ~real
        origin = np.where(real, REAL, np.where(planes.known, PAINTED, UNKNOWN)).astype(np.uint8)
        disparity = np.where(holes, planes.disparity, far).astype(np.float32)
        surface = np.where(holes, planes.surface, view.surface).astype(np.uint8)
        colour = view.colour
        if not holes.any():
            return Drawn(colour, disparity, surface, origin)
        solid = _without_specks(real, _SOLID_PX)
        rims = holes & (cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 3) <= _RIM_PX)
        if rims.any() and solid.any():
            nearest = nearest_index(solid)[rims]
            colour = colour.copy()
            colour[rims] = view.colour.reshape(-1, 3)[nearest]
            disparity[rims], surface[rims] = far.reshape(-1)[nearest], view.surface.reshape(-1)[nearest]
            holes = holes & ~rims
        if holes.any():
            points = to_world(self._rays / disparity[..., None], pose)
            colour = self.textured(colour, holes, surface, disparity, points, pose, tiles, upright)
        return Drawn(colour, disparity, surface, origin)

    def textured(
        self,
        colour: NDArray[np.uint8],
        holes: NDArray[np.bool_],
        surface: NDArray[np.uint8],
        disparity: Floats,
        points: Floats,
        pose: Pose,
        tiles: Tiles,
        upright: Upright,
    ) -> NDArray[np.uint8]:
        """The colours with `holes` [H, W] filled from tiles, or from the nearest pixel where a surface has none."""
        chosen = surface != NONE
        at = coordinates(points[chosen], surface[chosen], upright, pose[1, 3])
        length, width = self._footprint(disparity, points, pose, surface, upright)
        footprint = np.sqrt(length * width)[chosen]
        tile, has_tile = np.zeros(colour.shape, np.float32), np.zeros(holes.shape, bool)
        tile[chosen], has_tile[chosen] = tiles.look(surface[chosen], at, footprint)
        result = colour.copy()
        for number in np.unique(surface[holes & ~has_tile]):
            # Of the same surface if it is in view, else of any: objects do not run on behind themselves.
            for known in (~holes & (surface == number), ~holes & (surface != NONE), ~holes):
                if known.any():
                    here = holes & ~has_tile & (surface == number)
                    result[here] = colour.reshape(-1, 3)[nearest_index(known)][here]
                    break
        filled = holes & has_tile
        gain = _light(colour, tile, ~holes & has_tile, surface, filled)
        result[filled] = np.clip(np.rint(tile * gain[..., None]), 0, 255)[filled]
        return result

    def _inputs(
        self, colour: NDArray[np.uint8], known: NDArray[np.bool_], disparity: Floats, has_disparity: NDArray[np.bool_]
    ) -> Tensor:
        image = torch.from_numpy(np.moveaxis(colour, -1, 0)[None].astype(np.float32) / 255)
        masks = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (known, has_disparity)]
        return condition(image, masks[0], torch.from_numpy(disparity[None, None]), masks[1], self._network_rays)

    @torch.inference_mode()
    def answers(self, questions: Tensor) -> Floats:
        """The network's disparities [B, H, W] for questions [B, 8, H, W], in one forward."""
        return np.ascontiguousarray(self._network(questions)[:, 0].numpy())

    def _footprint(
        self, disparity: Floats, points: Floats, pose: Pose, surface: NDArray[np.uint8], upright: Upright
    ) -> tuple[Floats, Floats]:
        """How long and how wide pixels are on their surfaces, in metres: [H, W] each."""
        across = 1 / (disparity * np.float32(self.lens.fx))
        towards = upright.along(points - pose[:3, 3].astype(np.float32))
        distance = np.sqrt((towards * towards).sum(-1))
        is_x = (surface == WALL) | (surface == WALL + 2)
        facing = np.where(surface < WALL, towards[..., 1], np.where(is_x, towards[..., 0], towards[..., 2]))
        slant = np.maximum(np.abs(facing) / np.maximum(distance, 1e-6), 0.1)
        return np.asarray(across / slant, np.float32), np.asarray(across, np.float32)


def nearest_filled(colour: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Every unknown pixel takes the colour of the nearest known one."""
    if not known.any() or known.all():
        return colour.copy()
    index = nearest_index(known)
    return np.ascontiguousarray(colour.reshape(-1, 3)[index])


def nearest_index(known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Flat index [H, W] of the nearest known pixel of each; at least one must be known."""
    free = (~known).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    place = np.zeros(int(labels.max()) + 1, np.int64)
    flat = np.flatnonzero(known)
    place[labels.reshape(-1)[flat]] = flat
    return place[labels]


def _without_specks(known: NDArray[np.bool_], size_px: int) -> NDArray[np.bool_]:
    """Without what is smaller than `size_px`: errors of depth leave lone pixels [H, W] between others."""
    closed = cv2.morphologyEx(known.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return known & (cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((size_px, size_px), np.uint8)) > 0)


def _light(
    colour: NDArray[np.uint8],
    tile: Floats,
    known: NDArray[np.bool_],
    surface: NDArray[np.uint8],
    holes: NDArray[np.bool_],
) -> Floats:
    """Brightness of the holes' surfaces against their tiles, [H, W]: that of the nearest known pixel of the surface."""
    gain = np.ones(holes.shape, np.float32)
    seen, drawn = colour.mean(-1).astype(np.float32), tile.mean(-1)
    for number in range(SURFACES):
        here = holes & (surface == number)
        from_here = known & (surface == number)
        if from_here.sum() < 20 or not here.any():
            continue
        mask = from_here.astype(np.float32)
        sums = [cv2.boxFilter(x * mask, -1, (13, 13), normalize=False) for x in (seen, drawn)]
        ratio = sums[0] / np.maximum(sums[1], 1.0)
        gain[here] = ratio.reshape(-1)[nearest_index(from_here)][here]
    return np.clip(gain, _DARKEST, _BRIGHTEST)
