"""What is held on the page, published as controls of the present."""

import asyncio
import time
from collections.abc import Callable

from std_msgs.msg import String

from lingbot_msgs.msg import ModelInfo, RobotAction
from lingbot_ros.errors import InputError
from lingbot_ros.nodes.viewer.controls import action_values
from lingbot_ros.nodes.viewer.link import ImaginationLink
from lingbot_ros.viewer.driver import DrivingSeat
from lingbot_ros.viewer.messages import Drive

_KEYS_S = 0.1


class Driving:
    """Repeats what is held, and says once that it was released: a lost message must not keep a robot moving.

    model: what is driven now; None = nothing. frames: how many frames of the present have come.
    """

    def __init__(
        self,
        link: ImaginationLink,
        seat: DrivingSeat,
        model: Callable[[], ModelInfo | None],
        is_lockstep: Callable[[], bool],
        frames: Callable[[], int],
        notify: Callable[[str], None],
    ) -> None:
        self._link, self._seat, self._model, self._notify = link, seat, model, notify
        self._is_lockstep, self._frames = is_lockstep, frames
        self._answered = -1

    async def run(self) -> None:
        """Until it is cancelled."""
        moving = False
        while True:
            held, model = self._seat.held(0, time.monotonic()), self._model()
            if held is not None and model is not None:
                try:
                    moving = self._publish(model, held)
                except InputError as error:
                    self._notify(str(error))
            elif moving:
                if not self._is_lockstep():
                    self._link.keys.publish(String(data=""))
                moving = False
            await asyncio.sleep(_KEYS_S if model is None or held is None or held.keys else 1.0 / model.fps)

    def _publish(self, model: ModelInfo, held: Drive) -> bool:
        """Returns whether a release has to be published. In lockstep each message is a frame: one at a time."""
        if self._is_lockstep():
            if self._frames() == self._answered:
                return False
            self._answered = self._frames()
        if model.control_kind == ModelInfo.CONTROL_CAMERA:
            self._link.keys.publish(String(data=held.keys))
            return True
        action = RobotAction(values=action_values(model, held))
        action.header.stamp = self._link.now()
        self._link.actions.publish(action)
        return False
