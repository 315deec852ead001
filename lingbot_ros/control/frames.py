"""A graph of coordinate frames: where one is seen from another."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.rigid import inverse
from lingbot_ros.errors import InputError

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Edge:
    """A child in its parent: T_parent_child [4, 4]. stamp_ns: None for a static transform."""

    parent: str
    matrix: Matrix
    stamp_ns: int | None


class FrameGraph:
    """The newest transform of each frame to its parent. A frame that gets another parent moves there, as in tf2.

    Times are not interpolated: a dynamic transform serves for times within `tolerance_s` of its own.
    Any thread may call.
    """

    def __init__(self, tolerance_s: float) -> None:
        self._tolerance_ns = round(tolerance_s * 1e9)
        self._edges: dict[str, Edge] = {}
        self._lock = threading.Lock()

    def put(self, child: str, edge: Edge) -> None:
        """Add or replace. Raises InputError for a loop.

        A stamp older than the present one's is ignored, unless by more than the tolerance: then time began anew.
        """
        child, parent = plain_frame(child), plain_frame(edge.parent)
        if not child or not parent:
            raise InputError("transform", f"'{parent}' -> '{child}'", "name both frames")
        with self._lock:
            if child == parent or child in self._ancestors(parent):
                raise InputError(
                    "transform", f"'{parent}' -> '{child}'", "frames form a tree; this would create a loop"
                )
            if not self._is_late(self._edges.get(child), parent, edge):
                self._edges[child] = Edge(parent, edge.matrix, edge.stamp_ns)

    def lookup(self, target: str, source: str, field: str, stamp_ns: int = 0) -> Matrix:
        """T_target_source [4, 4], which takes coordinates in `source` to `target`; stamp 0 = the newest.

        Raises InputError naming `field` and the frames: unknown, not connected, or of another time than asked for.
        """
        target, source = plain_frame(target), plain_frame(source)
        if target == source:
            return np.eye(4)
        with self._lock:
            self._require_known(target, source, field)
            up, down = [source, *self._ancestors(source)], [target, *self._ancestors(target)]
            common = next((frame for frame in up if frame in down), None)
            if common is None:
                fix = f"it is not connected to '{target}': {' < '.join(up)}, and {' < '.join(down)}"
                raise InputError(field, f"'{source}'", f"{fix}; publish a transform between them")
            return inverse(self._to(down, common, field, stamp_ns)) @ self._to(up, common, field, stamp_ns)

    def is_static(self, target: str, source: str) -> bool:
        """Whether only static transforms lie between two connected frames."""
        with self._lock:
            chains = [[end, *self._ancestors(end)] for end in (plain_frame(target), plain_frame(source))]
            common = next(frame for frame in chains[0] if frame in chains[1])
            between = [frame for chain in chains for frame in chain[: chain.index(common)]]
            return all(self._edges[frame].stamp_ns is None for frame in between)

    def _is_late(self, known: Edge | None, parent: str, edge: Edge) -> bool:
        if known is None or known.parent != parent or known.stamp_ns is None or edge.stamp_ns is None:
            return False
        return 0 < known.stamp_ns - edge.stamp_ns <= self._tolerance_ns

    def _require_known(self, target: str, source: str, field: str) -> None:
        known = self._edges.keys() | {edge.parent for edge in self._edges.values()}
        for frame in (source, target):
            if frame not in known:
                names = ", ".join(sorted(known)) or "none"
                fix = f"no transform names '{frame}' (/tf and /tf_static have: {names}); give it in '{target}'"
                raise InputError(field, f"'{source}'", f"{fix} or publish the transform")

    def _to(self, chain: list[str], ancestor: str, field: str, stamp_ns: int) -> Matrix:
        """T_ancestor_first of a chain child < parent < ..."""
        result = np.eye(4)
        for child in chain[: chain.index(ancestor)]:
            edge = self._edges[child]
            self._require_time(child, edge, field, stamp_ns)
            result = edge.matrix @ result
        return result

    def _require_time(self, child: str, edge: Edge, field: str, stamp_ns: int) -> None:
        if not stamp_ns or edge.stamp_ns is None:
            return
        late_ns = stamp_ns - edge.stamp_ns
        if abs(late_ns) > self._tolerance_ns:
            way = f"{abs(late_ns) / 1e9:.3f} s {'after' if late_ns > 0 else 'before'}"
            fix = f"it lies {way} the newest transform '{edge.parent}' -> '{child}'; publish that in time"
            raise InputError(field, f"a stamp of {stamp_ns / 1e9:.3f} s", f"{fix}, or raise frames.tf_tolerance")

    def _ancestors(self, frame: str) -> Iterator[str]:
        while frame in self._edges:
            frame = self._edges[frame].parent
            yield frame


def plain_frame(frame: str) -> str:
    """ROS 1 wrote a leading slash, which means nothing here."""
    return frame.removeprefix("/")
