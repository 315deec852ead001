"""The data set of houses: how it lies on disk, and who writes and reads it."""
