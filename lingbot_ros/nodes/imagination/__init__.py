"""The lifecycle node `imagination`: a world model that lives on ROS topics."""
