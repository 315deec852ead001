"""Does the imagined camera go where it was sent? The geometry, on plain arrays; camera-to-world poses, OpenCV axes."""
