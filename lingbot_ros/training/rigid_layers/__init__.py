"""Learning the constants of a world of rigid layers from a data set: no gradient descent, a minute of one core."""
