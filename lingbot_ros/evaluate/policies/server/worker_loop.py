"""What a worker does once its environment is complete."""

import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from lingbot_ros.evaluate.policies.entry_point import load_factory
from lingbot_ros.evaluate.policies.server.serving import serve_policy


def serve_until_input_ends(entry_point: str, config: Mapping[str, Any]) -> None:
    """Tell the port as JSON on standard output; what the policy prints goes to standard error."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    factory = load_factory(entry_point, config)
    with serve_policy(factory) as server:
        threading.Thread(target=_until_input_ends, name="until input ends", daemon=True).start()
        with told:
            told.write(json.dumps({"port": server.socket.getsockname()[1]}) + "\n")
        server.serve_forever()


def _until_input_ends() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # also with a policy that hangs
