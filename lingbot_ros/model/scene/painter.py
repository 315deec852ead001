"""What nobody has seen: a plausible room in the same materials. Nothing here generates texture; it is carried.

A hole needs three answers: where the surface is (the depth network's guess, straightened by `layout`), which surface it
is, and how brightly it is lit (as the nearest known pixel of that surface). Colour then comes from the surface's tile.
"""

from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose, to_world
from lingbot_ros.model.scene.depth_network import RAY_X, DepthNetwork, condition
from lingbot_ros.model.scene.doors import DoorChooser
from lingbot_ros.model.scene.keyframes import COPIED, PAINTED, REAL, UNKNOWN, Keyframe
from lingbot_ros.model.scene.render import View
from lingbot_ros.model.scene.room_planes import RoomPlanes, find_planes
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
_SLACK_M = 0.15
"""What was painted or copied and is so near before a plane lies in it: copies of copies drift, one wall becomes two."""
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
        planes = find_planes(self.lens, disparity, everything, disparity, pose, room)
        near = planes.hold(disparity)
        keyframe = Keyframe(
            image.copy(),
            np.where(near, planes.disparity, disparity).astype(np.float32),
            np.full(image.shape[:2], REAL, np.uint8),
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

    def question(self, view: View) -> Tensor:
        """What the network is asked of a view with holes, before it can be `painted`: [1, 8, H, W]."""
        return self._inputs(view.colour, view.known, view.disparity, view.known)

    def painted(
        self, view: View, guess: Floats, pose: Pose, tiles: Tiles, upright: Upright, doors: DoorChooser | None = None
    ) -> Keyframe:
        """The view at `pose` with all its holes filled, as a keyframe: PAINTED there, COPIED elsewhere.

        What is remembered of no real image and lies in a plane of the room is put there and drawn anew, like a hole.
        guess: the network's disparity [H, W] for the view's `question`; doors: which of them are in unseen walls.
        """
        planes = find_planes(self.lens, view.disparity, view.known, guess, pose, upright, doors)
        flat = _lies_in(planes, np.maximum(view.disparity, 0.05), view.known & (view.origin != REAL))
        return self._filled(view, planes, flat, pose, tiles, upright)

    def flattened(self, view: View, pose: Pose, upright: Upright) -> tuple[NDArray[np.bool_], View]:
        """Which painted pixels [H, W] lie in a plane of the room, and the view with them in it.

        Rows of the memory do not agree on a wall to the centimetre: near by, it would show as layers.
        """
        disparity = np.maximum(view.disparity, 0.05)
        planes = find_planes(self.lens, disparity, view.known, disparity, pose, upright)
        flat = _lies_in(planes, disparity, view.origin == PAINTED)
        surface = np.where(flat, planes.surface, view.surface).astype(np.uint8)
        return flat, replace(view, surface=surface, disparity=np.where(flat, planes.disparity, disparity))

    def patched(self, view: View, pose: Pose, tiles: Tiles, upright: Upright) -> Keyframe:
        """Like `painted`, for small holes: without the network, what is unknown is as far as what is next to it.

        The rims of holes are no more than cracks and edges; they take what is next to them.
        """
        nothing = np.zeros(view.known.shape, bool)
        if not view.known.any():
            far = np.maximum(view.disparity, 0.05)
            planes = find_planes(self.lens, view.disparity, view.known, far, pose, upright)
            return self._filled(view, planes, nothing, pose, tiles, upright)
        nearest = nearest_index(view.known)
        colour = view.colour.reshape(-1, 3)[nearest]
        disparity = np.maximum(view.disparity.reshape(-1)[nearest], 0.05)
        origin, surface = (image.reshape(-1)[nearest] for image in (view.origin, view.surface))
        wide = cv2.distanceTransform((~view.known).astype(np.uint8), cv2.DIST_L2, 3) > _RIM_PX
        if not wide.any():
            return Keyframe(colour, disparity, np.full(wide.shape, COPIED, np.uint8), surface, pose.copy())
        origin = np.where(wide, UNKNOWN, origin).astype(np.uint8)
        closed = View(colour, disparity, origin, surface, view.magnified)
        planes = find_planes(self.lens, disparity, ~wide, disparity, pose, upright)
        return self._filled(closed, planes, nothing, pose, tiles, upright)

    def _filled(
        self, view: View, planes: RoomPlanes, flat: NDArray[np.bool_], pose: Pose, tiles: Tiles, upright: Upright
    ) -> Keyframe:
        """The view with its holes and its pixels `flat` [H, W] in the planes, drawn from their tiles."""
        holes = ~view.known
        painted = holes | flat
        disparity = np.where(painted, planes.disparity, np.maximum(view.disparity, 0.05)).astype(np.float32)
        surface = np.where(painted, planes.surface, view.surface).astype(np.uint8)
        points = to_world(self._rays / disparity[..., None], pose)
        colour = view.colour
        if flat.any():
            colour = self.sharpened(colour, flat, surface, disparity, points, pose, tiles, upright)
        colour = self.textured(colour, holes, surface, disparity, points, pose, tiles, upright)
        return Keyframe(colour, disparity, np.where(painted, PAINTED, COPIED).astype(np.uint8), surface, pose.copy())

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

    def sharpened(
        self,
        colour: NDArray[np.uint8],
        close: NDArray[np.bool_],
        surface: NDArray[np.uint8],
        disparity: Floats,
        points: Floats,
        pose: Pose,
        tiles: Tiles,
        upright: Upright,
    ) -> NDArray[np.uint8]:
        """The colours with the pixels `close` drawn anew from their tiles, as bright as they are."""
        at = coordinates(points[close], surface[close], upright, pose[1, 3])
        length, width = self._footprint(disparity, points, pose, surface, upright)
        footprint = np.sqrt(length * width)[close]
        tile = np.zeros(colour.shape, np.float32)
        has_tile = np.zeros(close.shape, bool)
        tile[close], has_tile[close] = tiles.look(surface[close], at, footprint)
        mask = has_tile.astype(np.float32)
        seen, drawn = (
            cv2.boxFilter(x.mean(-1).astype(np.float32) * mask, -1, (15, 15), normalize=False) for x in (colour, tile)
        )
        gain = np.clip(seen / np.maximum(drawn, 1.0), 0.4, 2.0)
        result = colour.copy()
        result[has_tile] = np.clip(np.rint(tile * gain[..., None]), 0, 255)[has_tile]
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


def _lies_in(planes: RoomPlanes, disparity: Floats, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the pixels `among` [H, W], of no real image, lie in the planes."""
    return among & (planes.surface != NONE) & planes.hold(disparity, _SLACK_M)


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
