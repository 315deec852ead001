"""The node `planner`: chooses actions among imagined futures, once or while a robot acts."""
