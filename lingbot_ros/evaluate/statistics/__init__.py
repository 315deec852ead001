"""What rates of success say: intervals, agreement of two arms, ceilings, calibration. Pure functions on numbers.

A figure that is not defined, such as the correlation of constant rates, is None and never 0. Arms are keyword-only
arguments, `imagined=` and `reference=`, because several statistics are not symmetric.
"""
