"""Drives of a camera: images with poses and intrinsics, and depth where it was measured."""
