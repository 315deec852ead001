"""The live monitor: reality against what the model imagines under the actions that the robot is given."""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.image_metrics.pixels import psnr_db
from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.reality.calibration import Calibration
from lingbot_ros.evaluate.reality.deviation import COMPONENTS, appearance_change, deviations
from lingbot_ros.evaluate.reality.gate import Gate, GateSettings, Level
from lingbot_ros.evaluate.rollouts.stepper import RowError, Stepper

_NS = 1_000_000_000
_ACTIONS_KEPT = 4096
_LOOKS = list(COMPONENTS).index("appearance")


@dataclass(frozen=True)
class Reading:
    """What one real image says. frame: imagined frames since the image that the window began at, 0 for that image.

    raw, scaled: the components of `deviation.COMPONENTS`; scaled is NaN without a calibration. trusted: leading frames
    of the window at level OK. reason: a sentence for a person, empty at OK.
    """

    stamp_ns: int
    level: Level
    frame: int
    trusted: int
    raw: tuple[float, ...]
    scaled: tuple[float, ...]
    psnr_db: float
    reason: str

    @property
    def score(self) -> float:
        """The largest scaled component; NaN without a calibration or at the start of a window."""
        return max(self.scaled, default=float("nan"))


class Monitor:
    """Imagines from a real image for a window of frames, compares each further image, and begins anew.

    Of a camera faster than the model, the image nearest to each frame's time is taken as it comes; where images are
    missing, the model goes on under the actions of that time. An action counts from its stamp on until the next one.
    Used by one thread at a time.
    """

    def __init__(
        self,
        stepper: Stepper,
        calibration: Calibration | None,
        window: int,
        settings: GateSettings | None = None,
    ) -> None:
        """window: frames between two real images that are begun at; a calibration decides it. Raises InputError."""
        self._stepper, self._calibration = stepper, calibration
        self._window = window if calibration is None else calibration.window
        if self._window < 1:
            raise InputError("window", window, "give 1 frame or more")
        warn, stop = (float("inf"),) * 2 if calibration is None else (calibration.warn, calibration.stop)
        self._gate = Gate(warn, stop, settings or GateSettings())
        self._period_ns = round(_NS / stepper.fps)
        self._action_ns: deque[int] = deque(maxlen=_ACTIONS_KEPT)
        self._actions: deque[Actions] = deque(maxlen=_ACTIONS_KEPT)
        self._started = False
        self._began_ns, self._frame, self._trusted, self._unbroken = 0, 0, 0, True
        self._reference: Frame | None = None
        self._made: list[Frame] = []
        self._seen: dict[int, tuple[Frame, int]] = {}
        self._why_stopped = ""

    @property
    def thresholds(self) -> tuple[float, float]:
        """Of warning and stop; infinite without a calibration."""
        found = self._calibration
        return (float("inf"),) * 2 if found is None else (found.warn, found.stop)

    def act(self, action: NDArray[np.float64], stamp_ns: int) -> None:
        """An action [dim] that the robot was given. Raises InputError for one that the model cannot take."""
        values = np.asarray(action, np.float64)
        if values.shape != self._stepper.low.shape or not np.isfinite(values).all():
            raise InputError("action", values.tolist(), f"give {len(self._stepper.low)} finite values")
        if self._action_ns and stamp_ns < self._action_ns[-1]:
            self._action_ns.clear()
            self._actions.clear()
        self._action_ns.append(stamp_ns)
        self._actions.append(np.clip(values, self._stepper.low, self._stepper.high))

    def show(self, image: Frame, stamp_ns: int) -> list[Reading]:
        """A real image uint8 [H, W, 3] at the model's size; what can be said of it and of images that waited.

        Empty while a chunk is not complete, and for an image between two frames.
        """
        if not self._actions:
            return [self._unknown(stamp_ns, "no action was received yet, so nothing can be imagined")]
        if not self._started:
            return [self._begin(image, stamp_ns)]
        frame = round((stamp_ns - self._began_ns) / self._period_ns)
        if frame < 0 or frame > 2 * self._window:
            self._free()
            return [self._begin(image, stamp_ns)]
        if frame <= self._frame or frame in self._seen:
            return []
        self._seen[frame] = (image, stamp_ns)
        readings = self._catch_up(frame)
        if self._started and self._frame >= self._window:
            self._free()
            readings.append(self._begin(image, stamp_ns))
        return readings

    def close(self) -> None:
        """Free the world's place."""
        self._free()

    def _begin(self, image: Frame, stamp_ns: int) -> Reading:
        """Let a window begin at a real image, unless it is none that the model can go on from."""
        if self._reference is not None and self._calibration is not None:
            change = appearance_change(image, self._reference)
            scaled = self._calibration.scaled(np.array([0.0] * _LOOKS + [change]))[_LOOKS]
            if scaled > self._calibration.stop:
                self._gate.stop()
                self._why_stopped = f"the image does not look like the ones before (appearance changed by {change:.2g})"
                return self._reading(stamp_ns, self._gate.level, 0)
        first = self._stepper.start(0, Start("live", image), 0)
        if isinstance(first, RowError):
            if self._reference is None:
                return self._unknown(stamp_ns, f"the model cannot begin at this image: {first.reason}")
            self._gate.stop()
            self._why_stopped = f"the model cannot go on from this image: {first.reason}"
            return self._reading(stamp_ns, self._gate.level, 0)
        self._started, self._began_ns, self._frame, self._trusted = True, stamp_ns, 0, 0
        self._unbroken = self._gate.level is Level.OK
        self._made, self._seen, self._reference = [], {}, image
        self._gate.begin_window()
        level = Level.UNKNOWN if self._calibration is None else self._gate.level
        return self._reading(stamp_ns, level, 0)

    def _catch_up(self, newest: int) -> list[Reading]:
        """Imagine whole chunks up to the frame `newest`, as far as that goes, and compare what was seen."""
        while True:
            count = self._stepper.frames_in_next_step(0)
            if len(self._made) + count > newest:
                break
            actions = np.stack([self._action_of(len(self._made) + n) for n in range(1, count + 1)])
            made = self._stepper.step({0: actions})[0]
            if isinstance(made, RowError):
                self._free()
                return [self._unknown(self._seen[newest][1], f"the model failed: {made.reason}")]
            self._made.extend(made)
        ready = sorted(frame for frame in self._seen if frame <= len(self._made))
        return [self._compare(frame, *self._seen.pop(frame)) for frame in ready]

    def _action_of(self, frame: int) -> Actions:
        """The action that leads to a frame: the newest one half a period before its image's time or earlier."""
        until_ns = self._began_ns + frame * self._period_ns - self._period_ns // 2
        at = bisect_right(self._action_ns, until_ns) - 1
        return self._actions[max(at, 0)]

    def _compare(self, frame: int, image: Frame, stamp_ns: int) -> Reading:
        imagined = self._made[frame - 1]
        if image.shape != imagined.shape:
            raise InputError("image", list(image.shape), f"resize it to the model's {list(imagined.shape)}")
        assert self._reference is not None
        raw = deviations(imagined[None], image[None], self._reference)[0]
        self._frame = frame
        decibels = psnr_db(imagined=imagined, reference=image)
        if self._calibration is None:
            why = f"not calibrated for {self._window} frames: give a file made by `lingbot evaluate --against`"
            return self._reading(stamp_ns, Level.UNKNOWN, frame, raw, decibels=decibels, reason=why)
        scaled = self._calibration.scaled(raw)
        before = self._gate.level
        level = self._gate.add(float(scaled.max()))
        worst = int(scaled.argmax())
        usual = self._calibration.high[worst]
        name = list(COMPONENTS)[worst].replace("_", " ")
        said = f"{name} {raw[worst]:.3g} at frame {frame}; in 95 % of normal frames it is at most {usual:.3g}"
        self._unbroken = self._unbroken and level is Level.OK
        if self._unbroken:
            self._trusted = frame
        if level is Level.STOP and (before is not Level.STOP or not self._why_stopped):
            self._why_stopped = f"reality has left the imagined future: {said}"
        reason = {Level.OK: "", Level.STOP: self._why_stopped}.get(level, said)
        return self._reading(stamp_ns, level, frame, raw, scaled, decibels, reason)

    def _reading(
        self,
        stamp_ns: int,
        level: Level,
        frame: int,
        raw: NDArray[np.float64] | None = None,
        scaled: NDArray[np.float64] | None = None,
        decibels: float = float("nan"),
        reason: str | None = None,
    ) -> Reading:
        nothing = (float("nan"),) * len(COMPONENTS)
        if reason is None:
            reason = self._why_stopped if level is Level.STOP else ""
        return Reading(
            stamp_ns,
            level,
            frame,
            self._trusted,
            nothing if raw is None else tuple(raw.tolist()),
            nothing if scaled is None else tuple(scaled.tolist()),
            decibels,
            reason,
        )

    def _unknown(self, stamp_ns: int, reason: str) -> Reading:
        return self._reading(stamp_ns, Level.UNKNOWN, 0, reason=reason)

    def _free(self) -> None:
        if self._started:
            self._stepper.end(0)
        self._started = False
