"""Learning the constants of a world of rigid layers: from a task's knowledge, or from clips alone (`own_clips.py`)."""
