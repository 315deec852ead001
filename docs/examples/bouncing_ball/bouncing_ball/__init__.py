"""A ball in a box, as a task that a world model learns."""
