"""What images say without knowing the task: uint8 RGB arrays in, numbers out, None or NaN where one is not defined.

Figures that published metrics define by learned weights are not here, and none of these carries such a name.
"""
