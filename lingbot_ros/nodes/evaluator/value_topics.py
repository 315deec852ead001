"""The topics `value` and `advantage`: of every image, and valid only where something estimates them."""

from collections import deque
from math import isfinite, nan

from std_msgs.msg import Header

from lingbot_msgs.msg import Value
from lingbot_ros.errors import LingbotError
from lingbot_ros.evaluate.value import ADVANTAGE_STEPS, ValueEstimator, advantage_range, advantages
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.evaluator.context import EvaluatorContext
from lingbot_ros.nodes.evaluator.live import SeenImage

_NONE = "none: the task has no estimator of values"
_DEPTH = 10


class ValueTopics:
    """Publishes the value of an image at once, and its advantage when the image 8 frames later is here."""

    def __init__(self, running: EvaluatorContext, estimator: ValueEstimator | None) -> None:
        self._running, self._estimator = running, estimator
        self._recent: deque[tuple[Header, float]] = deque(maxlen=ADVANTAGE_STEPS + 1)
        create = running.node.create_lifecycle_publisher
        self._value = create(Value, "value", qos.reliable(_DEPTH))
        self._advantage = create(Value, "advantage", qos.reliable(_DEPTH))

    def show(self, image: SeenImage) -> None:
        value = self._of(image)
        self._value.publish(self._message(image.header, value))
        if self._recent and _ns(image.header) <= _ns(self._recent[-1][0]):
            self._recent.clear()  # another session has begun
        self._recent.append((image.header, value))
        if len(self._recent) > ADVANTAGE_STEPS:
            header, _ = self._recent[0]
            gained = advantages([value for _, value in self._recent])[0]
            self._advantage.publish(self._message(header, gained, advantage=True))
        elif self._estimator is None:
            self._advantage.publish(self._message(image.header, nan, advantage=True))

    def destroy(self) -> None:
        for publisher in (self._value, self._advantage):
            self._running.node.destroy_lifecycle_publisher(publisher)

    def _of(self, image: SeenImage) -> float:
        if self._estimator is None:
            return nan
        try:
            return float(self._estimator.values(image.image[None])[0])
        except LingbotError as error:
            self._running.refuse("value", error)
            return nan

    def _message(self, header: Header, number: float, *, advantage: bool = False) -> Value:
        found = self._estimator
        if found is None:
            return Value(header=header, valid=False, value=nan, low=nan, high=nan, definition=_NONE)
        bounds = advantage_range(found)
        low, high = (bounds.low, bounds.high) if advantage else (found.low, found.high)
        definition = found.definition
        if advantage:
            definition = f"{ADVANTAGE_STEPS}-step change, discounted, of: {definition}"
        valid = isfinite(number)
        return Value(
            header=header, valid=valid, value=number if valid else nan, low=low, high=high, definition=definition
        )


def _ns(header: Header) -> int:
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)
