"""Real simulators behind a plain face: where training data comes from and what imagined futures are judged against."""
