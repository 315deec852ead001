"""The topics that drive the imagination node."""

from lingbot_ros.nodes.imagination.inputs.topics import Inputs

__all__ = ["Inputs"]
