"""The topics that drive the imagination node."""

from lingbot_ros.nodes.inputs.topics import Inputs

__all__ = ["Inputs"]
