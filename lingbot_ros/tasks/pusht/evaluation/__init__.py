"""Policies that play Push-T: where they start, how an image is scored, and graded policies to rank."""
