"""Houses, drives through them, and MiniWorld that renders both."""
