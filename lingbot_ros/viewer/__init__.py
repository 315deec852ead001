"""The page in which a person drives an imagined world: server, protocol, static files. Knows nothing of ROS."""
