"""`python -m lingbot_ros.nodes.main`: the executable `imagination`, at an address that stays."""

import sys

from lingbot_ros.nodes.imagination.main import main

if __name__ == "__main__":
    sys.exit(main())
