"""How a network executes. Sessions own every tensor; an engine only learns where they are."""
