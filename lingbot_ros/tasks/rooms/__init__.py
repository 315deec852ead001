"""Rooms: houses that a camera drives through. Ground truth is MiniWorld."""
