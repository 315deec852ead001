"""Files, images and YAML from outside, which are looked at and bounded before they are read."""
