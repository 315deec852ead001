"""Snapshots that are whole, have the right checksum, and cannot be true."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from lingbot_ros.world import Snapshot

SURROGATE = "half \ud800 of a pair"

META: dict[str, dict[str, Any]] = {
    "chunk beyond uint64": {"chunk_index": 2**70},
    "chunk beyond int64": {"chunk_index": 2**63},
    "chunk of another time": {"chunk_index": 10**9},
    "frame of another time": {"frame_index": 10**9},
    "both, but beyond the last stamp": {"chunk_index": 10**11, "frame_index": 10**11},
    "real frame in the future": {"real_frame": 3},
    "negative": {"chunk_index": -1, "frame_index": -1},
    "a word for a number": {"chunk_index": "2"},
    "a bool for a number": {"frame_index": True, "chunk_index": True},
    "half a character": {"prompt": SURROGATE},
    "a prompt that the model does not take": {"prompt": "rain"},
    "seed beyond uint64": {"seed": 2**64},
    "seed that is a list": {"seed": [1]},
    "no mapping outside": {"outside": [1]},
    "parts that are a number": {"parts": 5},
    "parts without names": {"parts": [{}]},
}
OUTSIDE: dict[str, dict[str, Any]] = {
    "start beyond the last stamp": {"start_stamp_ns": 2**62},
    "start beyond any number": {"start_stamp_ns": 2**70},
    "start before time": {"start_stamp_ns": -(10**10)},
    "branch in the future": {"branch_frame": 10**9},
    "parent with half a character": {"parent_id": SURROGATE},
    "parent of a megabyte": {"parent_id": "x" * 2**20},
    "parent that is a number": {"parent_id": 5},
    "intrinsics of another shape": {"given_intrinsics": [1.0, 2.0]},
    "a pose that is not finite": {"start_pose": [[float("nan")] * 4] * 4},
}
LIES = (*META, *OUTSIDE)


def write_lie(true: Path, lie: str, path: Path) -> Path:
    """The snapshot `true` with what the lie of that name changes, signed anew."""
    snapshot = Snapshot.load(true)
    meta = snapshot.meta
    changes = META[lie] if lie in META else {"outside": {**meta.outside, **OUTSIDE[lie]}}
    Snapshot(replace(meta, **changes), snapshot.tensors).save(path)
    return path
