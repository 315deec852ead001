"""Bags: writing what a node says, reading it back, and imagining it again. ROS-free."""
