"""Programs that talk to the imagination node over the real topics, services and actions."""
