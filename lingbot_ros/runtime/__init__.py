"""A live world: the thread that owns a model, the controls that wait for it, the frames that leave it. ROS-free."""
