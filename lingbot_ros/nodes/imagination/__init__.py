"""The lifecycle node `imagination`: a world model on ROS topics."""
