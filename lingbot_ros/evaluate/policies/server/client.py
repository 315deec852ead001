"""The client of a policy server: one connection is one robot."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from lingbot_ros.evaluate.policies.contract import Actions, Observation, PolicyCrashedError, PolicyGoneError
from lingbot_ros.evaluate.policies.server.wire import pack, unpack

TAKES_RESET = "takes_reset"
"""Of a server's metadata: true where {"reset": SEED} begins a rollout. Other servers remember nothing, as openpi's."""

STATE_KEY = "observation/state"
"""What openpi calls the robot's state."""

_OPEN_S, _RETRY_S = 2.0, 0.2
_OPTIONS: dict[str, Any] = {"compression": None, "max_size": None, "ping_interval": None, "close_timeout": 1}
"""No pings: a server that computes does not answer them."""


@dataclass(frozen=True)
class Asking:
    """What a server is asked with. image_keys, prompt_key: under which names image and instruction are sent.

    state_key: under which the robot's state is sent, where the task can read it; None: not at all.
    constants: what else it wants, the same in every request. execute_steps: how many actions of an answer are carried
    out; None: all. connect_within_s: how long it may take to be there. answer_within_s: after that it is given up.
    """

    image_keys: tuple[str, ...] = ("observation/image",)
    prompt_key: str = "prompt"
    state_key: str | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    execute_steps: int | None = None
    connect_within_s: float = 10.0
    answer_within_s: float = 60.0


class ServedPolicy:
    """A policy that a server plays. `address`: tells the ws:// address, also of a server that has to be started."""

    def __init__(self, address: Callable[[], str], asking: Asking) -> None:
        """Raises PolicyGoneError where nobody answers."""
        self._asking = asking
        self._stack = ExitStack()
        self._connection = _connect(address(), asking.connect_within_s, self._stack)
        self._takes_reset = unpack(self._receive()).get(TAKES_RESET) is True

    def reset(self, seed: int) -> None:
        if self._takes_reset:
            self._ask({"reset": seed})

    def act(self, observation: Observation) -> Actions:
        said: dict[str, Any] = dict.fromkeys(self._asking.image_keys, observation.image)
        said |= {self._asking.prompt_key: observation.instruction, "step": observation.step, **self._asking.constants}
        if self._asking.state_key is not None and (state := observation.state) is not None:
            said[self._asking.state_key] = np.asarray(state, np.float32)
        answer = self._ask(said)
        if "actions" not in answer:
            raise ValueError(f"the server's answer has no actions, only {', '.join(map(str, answer)) or 'nothing'}")
        actions = answer["actions"]
        chunk = getattr(actions, "ndim", 0) == 2 and self._asking.execute_steps is not None
        found: Actions = actions[: self._asking.execute_steps] if chunk else actions
        return found

    def close(self) -> None:
        """Hang up."""
        self._stack.close()

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        try:
            self._connection.send(pack(message))
            return unpack(self._receive())
        except (ConnectionClosed, OSError) as error:
            raise PolicyGoneError(f"the server hung up ({error})") from error

    def _receive(self) -> bytes:
        """A message of bytes; text is how such a server says what went wrong."""
        try:
            answer = self._connection.recv(self._asking.answer_within_s)
        except TimeoutError as error:
            self.close()
            raise PolicyGoneError(f"the server said nothing for {self._asking.answer_within_s:g} s") from error
        except ConnectionClosed as error:
            raise PolicyGoneError(f"the server hung up ({error})") from error
        if isinstance(answer, str):
            self.close()
            raise PolicyCrashedError((answer.strip() or "the server failed without a word").splitlines()[-1])
        return answer


def _connect(address: str, within_s: float, stack: ExitStack) -> ClientConnection:
    last = time.monotonic() + within_s
    while True:
        try:
            return stack.enter_context(connect(address, open_timeout=max(within_s, _OPEN_S), **_OPTIONS))
        except (OSError, TimeoutError, WebSocketException) as error:
            if time.monotonic() >= last:
                raise PolicyGoneError(f"no policy server at {address} ({error})") from error
        time.sleep(_RETRY_S)
