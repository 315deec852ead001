"""Body axes (x forward, y left, z up) and optical axes (x right, y down, z forward), as REP-103 has them."""

import numpy as np

BODY_FROM_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Its columns are the optical axes written in body axes."""

BODY_FROM_OPTICAL.flags.writeable = False
