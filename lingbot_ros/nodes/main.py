"""`python -m lingbot_ros.nodes.main`: the executable `imagination`, at an address that does not move with its package."""

import sys

from lingbot_ros.nodes.imagination.main import main

if __name__ == "__main__":
    sys.exit(main())
