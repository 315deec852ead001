"""Joint states that come in parts: an arm and a gripper publish their own joints, each at its own rate."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.mappings import JointMap
from lingbot_ros.errors import InputError


class JointStates:
    """The newest value of each joint that drives a component.

    timeout_s: how long a joint may be missing. whole_sets: an action only when every joint was given anew, so that
    parts of one moment are one control, not several.
    """

    def __init__(self, joints: JointMap, timeout_s: float, *, whole_sets: bool) -> None:
        self._joints, self._timeout_s, self._whole_sets = joints, timeout_s, whole_sets
        self._names = [joint.name for joint in joints.joints]
        self._newest: dict[str, tuple[float, float]] = {}
        self._renewed: set[str] = set()
        self._first_s: float | None = None

    def put(self, values: Mapping[str, float], now_s: float, field: str) -> NDArray[np.float64] | None:
        """Joint values by name -> the action [dim]; None for a part after which others are still to come.

        A message that names none of the joints means nothing. Raises InputError for a value out of its limits, which
        changes nothing, and where a joint is missing for longer than the timeout.
        """
        own = {name: values[name] for name in self._names if name in values}
        if not own:
            return None
        self._joints.check(own, field)
        self._first_s = now_s if self._first_s is None else self._first_s
        self._newest.update({name: (value, now_s) for name, value in own.items()})
        self._renewed |= own.keys()
        since_s = {name: self._newest[name][1] if name in self._newest else self._first_s for name in self._names}
        for name, seen_s in since_s.items():
            if now_s - seen_s > self._timeout_s:
                fix = f"give '{name}', too, which is missing for {now_s - seen_s:.2f} s (input.joints.map)"
                raise InputError(f"{field}.name", ", ".join(values), fix)
        if len(self._newest) < len(self._names) or (self._whole_sets and len(self._renewed) < len(self._names)):
            return None
        self._renewed.clear()
        return self._joints.action({name: value for name, (value, _) in self._newest.items()}, field)
