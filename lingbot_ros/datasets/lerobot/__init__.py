"""Clips from a LeRobot data set on this disk."""
