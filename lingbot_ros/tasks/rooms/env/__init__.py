"""Imagined rooms as Gymnasium environments: find the place that an image shows."""
