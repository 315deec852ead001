"""Planning in Push-T: goals that an expert reached, costs on poses, closed-loop trials in the simulator."""
