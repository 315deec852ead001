"""A live world: the thread that owns a model and its sessions, the controls that wait for it, the frames that leave it."""
