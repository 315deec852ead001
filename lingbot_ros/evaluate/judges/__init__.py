"""Judges of films that need weights. They load only what lies on this disk, and state how far they can be believed."""
