"""From policies, a world and a task to a report: which policy is better, and may that be believed."""
