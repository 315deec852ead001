"""Things that move as rigid layers: which pixels belong to one, how it moves, how it is drawn."""
