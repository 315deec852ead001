"""What several tests share: tiny models with random weights, written to disk and loaded like any other."""
