"""The report on a camera world: held-out houses, baselines, revisits, and what the simulator says of the pose."""
