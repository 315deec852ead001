"""A live imagined world: load a model, start a session, step, fork, save, restore. ROS-free."""

from lingbot_ros.world.batch import Batch
from lingbot_ros.world.frame_view import FrameView
from lingbot_ros.world.load_options import LoadOptions
from lingbot_ros.world.loaded_model import LoadedModel
from lingbot_ros.world.pose_memory import MemoryOptions
from lingbot_ros.world.session import Session, StepTiming
from lingbot_ros.world.snapshot import Snapshot, SnapshotMeta, remove_leftovers
from lingbot_ros.world.world import World
from lingbot_ros.world.world_info import WorldInfo

__all__ = [
    "Batch",
    "FrameView",
    "LoadOptions",
    "LoadedModel",
    "MemoryOptions",
    "Session",
    "Snapshot",
    "SnapshotMeta",
    "StepTiming",
    "World",
    "WorldInfo",
    "remove_leftovers",
]
