"""lingbot_ros: a causal video world model as a ROS 2 imagination service.

Everything outside `lingbot_ros.nodes` and `lingbot_ros.bridge` runs without ROS.
"""

__version__ = "0.1.0"
