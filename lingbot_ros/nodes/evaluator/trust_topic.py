"""The topic `~/trust`: does reality still follow what the model imagined?"""

from lingbot_msgs.msg import TrustState
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.reality.calibration import Calibration
from lingbot_ros.evaluate.reality.gate import Level
from lingbot_ros.evaluate.reality.monitor import Monitor, Reading
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.evaluator.context import EvaluatorContext
from lingbot_ros.nodes.evaluator.live import SeenAction, SeenImage
from lingbot_ros.nodes.evaluator.messages import trust_state
from lingbot_ros.shared_files import find_shared


class TrustTopic:
    """Runs the monitor on the thread of the live inputs and publishes what it says of each image."""

    def __init__(self, running: EvaluatorContext) -> None:
        """Raises InputError for a calibration of another model."""
        trust = running.config.trust
        self._running = running
        calibration = _calibration(running)
        self._monitor = Monitor(running.worlds.single(), calibration, trust.window, trust.recover_hold)
        if calibration is None:
            running.node.get_logger().warning(
                f"~/trust is not calibrated for {running.model.name}, so that its level stays UNKNOWN; make a file "
                "with `lingbot evaluate --calibrate` and set trust.calibration"
            )
        self._level = Level.UNKNOWN
        self._publisher = running.node.create_lifecycle_publisher(TrustState, "~/trust", qos.latched())

    def act(self, action: SeenAction) -> None:
        self._monitor.act(action.values, action.stamp_ns)

    def show(self, image: SeenImage) -> None:
        for reading in self._monitor.show(image.image, image.stamp_ns):
            self._tell(reading)
            self._publisher.publish(trust_state(reading, self._monitor.thresholds, image.header.frame_id))

    def _tell(self, reading: Reading) -> None:
        """Log a change of level. ROS refuses to log with two severities from one line."""
        if reading.level is self._level:
            return
        self._level = reading.level
        said, log = f"trust: {reading.level.name} {reading.reason}", self._running.node.get_logger()
        if reading.level is Level.STOP:
            log.warning(said)
        else:
            log.info(said)

    def close(self) -> None:
        """Free the monitor's place in the world."""
        self._monitor.close()

    def destroy(self) -> None:
        self._running.node.destroy_lifecycle_publisher(self._publisher)


def _calibration(running: EvaluatorContext) -> Calibration | None:
    """The one that was given, else that of the package where it has one for just these weights. Raises InputError."""
    model, given = running.model, running.config.trust.calibration
    if given is not None:
        found = Calibration.load(given)
        if not _fits(found, running):
            fix = f"it was made for {found.model} with other weights than those of {model.name} here; create it again"
            raise InputError("trust.calibration", given, fix)
        return found
    try:
        found = Calibration.load(find_shared("config", "trust", f"{model.name}.json"))
    except FileNotFoundError:
        return None
    return found if _fits(found, running) else None


def _fits(found: Calibration, running: EvaluatorContext) -> bool:
    return (found.model, found.weights_sha256) == (running.model.name, running.model.weights_sha256)
