"""Where a camera was at any time: a chain of transforms from the world to its optical frame, interpolated in time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.poses import interpolate_poses
from lingbot_ros.control.rigid import inverse
from lingbot_ros.datasets.bag.stamps import StampColumn

Matrix = NDArray[np.float64]
Stamps = NDArray[np.int64]
"""Nanoseconds."""


@dataclass
class Link:
    """One transform of a chain, T_left_right [4, 4], message by message. column: their stamps; None: it is fixed."""

    matrices: list[Matrix]
    column: StampColumn | None = None

    @property
    def reversed(self) -> "Link":
        """T_right_left."""
        return Link([inverse(matrix) for matrix in self.matrices], self.column)


@dataclass(frozen=True)
class PoseChain:
    """Links from left to right: the world, ..., the camera's optical frame. story: lines that say what was taken."""

    links: Sequence[Link]
    story: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[StampColumn]:
        """The stamps of all links that change."""
        return [link.column for link in self.links if link.column is not None]

    def at(
        self, wanted: Stamps, kind: str, takes: Sequence[NDArray[np.int64]], take: int, gap_ns: int
    ) -> tuple[Matrix, NDArray[np.bool_]]:
        """Camera-to-world [N, 4, 4] at `wanted`, and which are known [N]: between two messages `gap_ns` apart at most.

        kind: header or received; takes: for each of `columns` which take a message is of; only those of `take` count.
        """
        poses, known = np.tile(np.eye(4), (len(wanted), 1, 1)), np.ones(len(wanted), np.bool_)
        moving = iter(takes)
        for link in self.links:
            if link.column is None:
                poses = poses @ link.matrices[0]
                continue
            chosen = np.flatnonzero(next(moving) == take)
            stamps = link.column.stamps(kind)[chosen]
            order = np.argsort(stamps, kind="stable")
            there, found = _interpolated(
                stamps[order], np.array(link.matrices).reshape(-1, 4, 4)[chosen[order]], wanted, gap_ns
            )
            poses, known = poses @ there, known & found
        return poses, known


def _interpolated(stamps: Stamps, poses: Matrix, wanted: Stamps, gap_ns: int) -> tuple[Matrix, NDArray[np.bool_]]:
    if not len(stamps):
        return np.tile(np.eye(4), (len(wanted), 1, 1)), np.zeros(len(wanted), np.bool_)
    before = np.clip(np.searchsorted(stamps, wanted, side="right") - 1, 0, len(stamps) - 1)
    after = np.minimum(before + (stamps[before] < wanted), len(stamps) - 1)
    span = stamps[after] - stamps[before]
    share = np.where(span > 0, (wanted - stamps[before]) / np.maximum(span, 1), 0.0)
    known = (stamps[before] <= wanted) & (wanted <= stamps[after]) & (span <= gap_ns)
    return interpolate_poses(poses, before + np.clip(share, 0, 1)), known
