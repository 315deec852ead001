"""Futures as poses: nothing is rendered, no session is stepped."""

import numpy as np

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.planning.futures import Floats, Futures
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.rollout import RolloutState, roll_copies, roll_poses
from lingbot_ros.world.session import Session


class StateRollouts:
    """From the state of a session of rigid layers; the session may go on meanwhile."""

    def __init__(self, state: RolloutState, *, spread: bool = False) -> None:
        """spread: also tell how far copies of the world come apart, which takes several times as long."""
        self.state, self._spread = state, spread

    @classmethod
    def of(cls, session: Session, *, spread: bool = False) -> "StateRollouts":
        """Raises LingbotError (UNSUPPORTED) for a model that has no poses; `ImageRollouts` works with every model."""
        if not isinstance(session, LayerSession):
            raise LingbotError("rollouts: this model has no poses; plan on its images instead", ErrorCode.UNSUPPORTED)
        return cls(session.rollout_state, spread=spread)

    def roll(self, actions: Floats) -> Futures:
        """See `Rollouts`."""
        if not self._spread:
            return Futures(actions, poses=np.asarray(roll_poses(self.state, actions), np.float64))
        poses, spread_px = roll_copies(self.state, actions)
        return Futures(actions, poses=np.asarray(poses, np.float64), spread_px=np.asarray(spread_px, np.float64))
