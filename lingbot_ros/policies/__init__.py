"""Small policies that show what a world does when it is driven. A policy maps a frame to an action."""
