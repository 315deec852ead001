"""ROS nodes: thin shells that declare, wire and delegate."""
