"""Learning the constants of a world of rigid layers from a data set: two minutes of one core."""
