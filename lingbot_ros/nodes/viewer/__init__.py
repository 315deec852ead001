"""The node `viewer`: shows an imagination node's frames on a page, and drives it from there."""
