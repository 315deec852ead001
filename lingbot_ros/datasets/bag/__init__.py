"""Clips from ROS bags, read without ROS."""
