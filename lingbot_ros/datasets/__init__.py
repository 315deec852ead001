"""Robot clips of any origin as training data: how they are taken from recordings, stored and read."""
