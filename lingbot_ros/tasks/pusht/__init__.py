"""Push-T: a round pusher moves a T-shaped block; ground truth is gym-pusht."""
