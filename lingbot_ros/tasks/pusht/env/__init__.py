"""Push-T as Gymnasium environments in which a world model takes the place of the simulator."""
