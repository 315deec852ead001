"""The imagination node on an engine that fails on demand: while the file $LINGBOT_TEST_FAULT exists, every third run of
a graph raises, so that a chunk breaks in its middle, with a part of its cache slots overwritten.
"""

import os
import sys
from pathlib import Path

from lingbot_ros.engine import torch_engine
from lingbot_ros.nodes.imagination.main import main

_FAULT = Path(os.environ["LINGBOT_TEST_FAULT"])


class FaultyContext(torch_engine.TorchContext):
    """Shared count: a chunk runs several graphs."""

    runs = 0

    def run(self) -> None:
        if _FAULT.exists():
            FaultyContext.runs += 1
            if FaultyContext.runs % 3 == 0:
                raise RuntimeError("an illegal memory access was encountered")
        super().run()


if __name__ == "__main__":
    torch_engine.TorchContext = FaultyContext  # type: ignore[misc]
    sys.exit(main())
