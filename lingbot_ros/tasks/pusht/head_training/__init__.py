"""How the heads are trained, calibrated and judged."""
