"""Families of released models: how their files are laid out, named, read and fetched."""
