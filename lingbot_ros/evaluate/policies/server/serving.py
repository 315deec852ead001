"""A policy server as openpi's are: it tells its metadata, then answers every observation with actions."""

import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from websockets.sync.server import Server, ServerConnection, serve

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Observation, Policy
from lingbot_ros.evaluate.policies.server.client import STATE_KEY, TAKES_RESET, Asking
from lingbot_ros.evaluate.policies.server.wire import pack, unpack

_BROKEN = 1011


def serve_policy(
    factory: Callable[[], Policy], host: str = "127.0.0.1", port: int = 0, image_keys: Sequence[str] = Asking.image_keys
) -> Server:
    """A server that listens, by default on a free port; `serve_forever()` runs it.

    Every connection gets a policy of its own from `factory`. A policy that raises ends its connection, with the
    traceback as text; the others go on.
    """
    return serve(_Handler(factory, tuple(image_keys)), host, port, compression=None, max_size=None, ping_interval=None)


class _Handler:
    def __init__(self, factory: Callable[[], Policy], image_keys: Sequence[str]) -> None:
        self._factory, self._image_keys = factory, image_keys

    def __call__(self, connection: ServerConnection) -> None:
        try:
            policy = self._factory()
            connection.send(pack({TAKES_RESET: True}))
            for message in connection:
                connection.send(pack(self._answer(policy, message)))
        except OSError:
            return
        except BaseException:  # also SystemExit: a policy that leaves must not look like one that answers nothing
            connection.send(traceback.format_exc())
            connection.close(_BROKEN, "the policy failed")

    def _answer(self, policy: Policy, message: str | bytes) -> dict[str, Any]:
        if isinstance(message, str):
            raise InputError("message", "text", "send MessagePack as openpi does")
        said = unpack(message)
        if "reset" in said:
            policy.reset(int(said["reset"]))
            return {}
        image = next((said[key] for key in self._image_keys if key in said), None)
        if not isinstance(image, np.ndarray) or image.ndim != 3 or image.dtype != np.uint8:
            fix = f"send uint8 [h, w, 3] as {' or '.join(self._image_keys)}"
            raise InputError("observation", ", ".join(map(str, said)) or "nothing", fix)
        state = said.get(STATE_KEY)
        read_state = None if state is None else lambda _: np.asarray(state, np.float64)
        seen = Observation(image, int(said.get("step", 0)), str(said.get("prompt", "")), read_state)
        return {"actions": np.asarray(policy.act(seen), np.float64)}
