"""Frames: chains worked out by hand, and every way in which a lookup can fail names what is wrong."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lingbot_ros.control.frames import Edge, FrameGraph
from lingbot_ros.control.rigid import exponential
from lingbot_ros.errors import InputError

SECOND = 1_000_000_000


def graph(*edges: tuple[str, str, tuple[float, ...], int | None]) -> FrameGraph:
    frames = FrameGraph(tolerance_s=1.0)
    for parent, child, twist, stamp_ns in edges:
        frames.put(child, Edge(parent, exponential(twist), stamp_ns))
    return frames


QUARTER = (0, 0, 0, 0, 0, np.pi / 2)
TREE = graph(
    ("map", "odom", (1, 0, 0, 0, 0, 0), None),
    ("odom", "base_link", (0, 2, 0, 0, 0, 0), 100 * SECOND),
    ("map", "table", QUARTER, None),
    ("elsewhere", "lost", QUARTER, None),
)


def test_chains_up_down_and_across() -> None:
    assert_allclose(TREE.lookup("map", "base_link", "pose")[:3, 3], [1, 2, 0])
    assert_allclose(TREE.lookup("base_link", "map", "pose")[:3, 3], [-1, -2, 0])
    # The table is turned left by 90 degrees: what lies at x = 1, y = 2 of the map is at x = 2, y = -1 of it.
    assert_allclose(TREE.lookup("table", "base_link", "pose")[:3, 3], [2, -1, 0], atol=1e-15)
    assert_allclose(TREE.lookup("unheard", "unheard", "pose"), np.eye(4))
    assert_allclose(TREE.lookup("/map", "/odom", "pose")[:3, 3], [1, 0, 0])


REFUSED = {
    "unknown": (("map", "gripper", 0), "pose: got 'gripper'; no transform names 'gripper' (/tf and /tf_static have: "),
    "unknown target": (("world", "odom", 0), "no transform names 'world'"),
    "not connected": (("map", "lost", 0), "it is not connected to 'map': lost < elsewhere, and map"),
    "too late": (("map", "base_link", 103 * SECOND), "3.000 s after the newest transform 'odom' -> 'base_link'"),
    "too early": (("map", "base_link", 98 * SECOND), "2.000 s before the newest transform 'odom' -> 'base_link'"),
}


@pytest.mark.parametrize(("lookup", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_resolved(lookup: tuple[str, str, int], message: str) -> None:
    target, source, stamp_ns = lookup
    with pytest.raises(InputError) as error:
        TREE.lookup(target, source, "pose", stamp_ns)
    assert message in str(error.value)


def test_static_transforms_serve_at_any_time_and_are_told_from_moving_ones() -> None:
    assert_allclose(TREE.lookup("map", "odom", "pose", 5 * SECOND)[:3, 3], [1, 0, 0])
    assert TREE.is_static("map", "odom") and not TREE.is_static("table", "base_link")


@pytest.mark.parametrize(("parent", "child"), [("c", "a"), ("b", "a"), ("a", "a"), ("", "a")])
def test_loops_are_refused_and_change_nothing(parent: str, child: str) -> None:
    frames = graph(("a", "b", QUARTER, None), ("b", "c", QUARTER, None))
    with pytest.raises(InputError):
        frames.put(child, Edge(parent, np.eye(4), None))
    assert_allclose(frames.lookup("a", "c", "pose"), exponential(QUARTER) @ exponential(QUARTER), atol=1e-15)


def test_an_older_transform_does_not_replace_a_newer_one() -> None:
    frames = graph(("map", "base", (2, 0, 0, 0, 0, 0), 20), ("map", "base", (1, 0, 0, 0, 0, 0), 10))
    assert frames.lookup("map", "base", "pose")[0, 3] == 2
    frames.put("base", Edge("odom", np.eye(4), 5))
    assert_allclose(frames.lookup("odom", "base", "pose"), np.eye(4))


def test_time_that_begins_anew_replaces_what_was_known() -> None:
    graph = FrameGraph(tolerance_s=1.0)
    for stamp_s, x in ((100, 1.0), (99.5, 2.0), (3, 3.0)):
        matrix = np.eye(4)
        matrix[0, 3] = x
        graph.put("base", Edge("map", matrix, round(stamp_s * 1e9)))
        assert graph.lookup("map", "base", "pose")[0, 3] == (3.0 if x == 3.0 else 1.0)
