"""Scenes that a camera explores: remembered keyframes with depth, rendered from where the camera is."""
