"""Push-T episodes as training data: how they are made, stored and read."""
