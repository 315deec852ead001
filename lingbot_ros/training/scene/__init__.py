"""Training of the depth network of a scene."""
