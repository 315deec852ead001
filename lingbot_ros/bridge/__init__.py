"""ROS messages <-> plain arrays and dataclasses. The only place that knows both; pure functions, no node."""
