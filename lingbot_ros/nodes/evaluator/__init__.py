"""The lifecycle node `evaluator`: scores policies and rollouts over ROS, and watches reality leave the imagination."""
