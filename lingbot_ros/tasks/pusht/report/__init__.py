"""The report on a Push-T model: imagined futures beside the simulator's."""
