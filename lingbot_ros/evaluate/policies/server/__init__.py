"""Policies in another process or on another machine, behind a WebSocket, as `openpi-client` speaks it."""
