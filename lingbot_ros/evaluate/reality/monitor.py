"""The live monitor: reality against what the model imagines under the actions that the robot is given."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.image_metrics.pixels import psnr_db
from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.reality.calibration import Calibration
from lingbot_ros.evaluate.reality.deviation import COMPONENTS, appearance_change, deviations
from lingbot_ros.evaluate.reality.episodes import Episode
from lingbot_ros.evaluate.reality.gate import Gate, Level
from lingbot_ros.evaluate.rollouts.stepper import ObservingStepper, RowError

CONTEXT = 4
"""Real frames at the beginning, from which a model may read what one image does not tell."""

_NS = 1_000_000_000
_ACTIONS_KEPT = 4096


@dataclass(frozen=True)
class Reading:
    """What one real image says. frame: imagined frames since the last image that the model was shown, 0 for that one.

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
    """Imagines a window of frames, compares the real images with them, and is then shown the real image again.

    It begins at an image, is shown a few more for what one image does not tell, such as velocities, and goes on for
    windows of `window` frames with one real step between them. After a stop, and when the next image does not look like
    those before, it begins anew as soon as an image looks right. Of a camera faster than the model, one image for each
    frame is taken; where images are missing, the model goes on under the actions of that time. An action counts from
    its stamp on until the next one. Used by one thread at a time.
    """

    def __init__(
        self,
        stepper: ObservingStepper,
        calibration: Calibration | None,
        window: int,
        recover_hold: int = 3,
    ) -> None:
        """window: frames, where no calibration decides them. recover_hold: normal frames in a row that end a warning,
        and in a new window a stop. Raises InputError.
        """
        self._stepper, self._calibration = stepper, calibration
        self._window = window if calibration is None else calibration.window
        if self._window < 1:
            raise InputError("window", window, "give 1 frame or more")
        self._gate = Gate(*self.thresholds, recover_hold)
        self._period_ns = round(_NS / stepper.fps)
        self._action_ns: deque[int] = deque(maxlen=_ACTIONS_KEPT)
        self._actions: deque[Actions] = deque(maxlen=_ACTIONS_KEPT)
        self._started = False
        self._began_ns, self._lived, self._real = 0, 0, 0
        self._newest, self._trusted, self._unbroken = 0, 0, True
        self._reference: Frame | None = None
        self._seen: dict[int, tuple[Frame, int]] = {}
        self._parted, self._why_stopped = False, ""

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
        frame = round((stamp_ns - self._began_ns) / self._period_ns)
        if not self._started or frame < 0 or frame > self._newest + 2 * self._window:
            return [self._begin(image, stamp_ns)]
        if frame <= self._newest:
            return []
        self._newest = frame
        self._seen[frame] = (image, stamp_ns)
        return self._catch_up()

    def close(self) -> None:
        """Free the world's place."""
        if self._started:
            self._stepper.end(0)
        self._started = False

    def _begin(self, image: Frame, stamp_ns: int) -> Reading:
        """Begin anew at a real image, unless it is none that the model can go on from."""
        self.close()
        if not self._looks_right(image):
            return self._reading(stamp_ns, self._gate.level, 0)
        first = self._stepper.start(0, Start("live", image), 0)
        if isinstance(first, RowError):
            if self._reference is None:
                return self._unknown(stamp_ns, f"the model cannot begin at this image: {first.reason}")
            self._gate.stop()
            self._why_stopped = f"the model cannot go on from this image: {first.reason}"
            return self._reading(stamp_ns, self._gate.level, 0)
        self._started, self._began_ns = True, stamp_ns
        self._lived = self._real = self._newest = 0
        self._seen, self._parted = {}, False
        return self._at_real_image(image, stamp_ns)

    def _looks_right(self, image: Frame) -> bool:
        """Whether an image looks like the last one that was normal; if not, stops."""
        if self._reference is None or self._calibration is None:
            return True
        change = appearance_change(image, self._reference)
        if self._calibration.scaled_one("appearance", change) <= self._calibration.stop:
            return True
        self._gate.stop()
        self._why_stopped = f"the image does not look like the ones before: appearance changed by {change:.2g}"
        return False

    def _catch_up(self) -> list[Reading]:
        """Live whole chunks up to the newest image: real ones where they are due, else imagined and compared."""
        readings: list[Reading] = []
        while self._started:
            frames = range(self._lived + 1, self._lived + 1 + self._stepper.frames_in_next_step(0))
            if frames[-1] > self._newest:
                break
            actions = np.stack([self._action_of(frame) for frame in frames])
            if self._is_due and all(frame in self._seen for frame in frames) and self._is_expected(frames, actions):
                readings += self._observe(frames, actions)
            else:
                readings += self._imagine(frames, actions)
        return readings

    @property
    def _is_due(self) -> bool:
        """Whether the next chunk is to be real: at the beginning, and after each window."""
        return self._lived + 1 < CONTEXT or self._lived - self._real >= self._window

    def _is_expected(self, frames: range, actions: Actions) -> bool:
        """Whether the images of the next chunk are what the model would imagine; else it must not be shown them: what
        happens in just these frames would go unnoticed.
        """
        if self._calibration is None or self._parted or self._lived + 1 < CONTEXT:
            return True
        made = self._stepper.peek(0, actions)
        if isinstance(made, RowError):
            return True
        assert self._reference is not None
        seen = np.stack([self._seen[frame][0] for frame in frames])
        return bool(self._calibration.scaled(deviations(made, seen, self._reference)).max() <= self._calibration.stop)

    def _observe(self, frames: range, actions: Actions) -> list[Reading]:
        """Show the model the next chunk; after a stop, or where it refuses, begin anew."""
        seen = [self._seen.pop(frame) for frame in frames]
        image, stamp_ns = seen[-1]
        if self._parted:
            return [self._begin(image, stamp_ns)]
        if not self._looks_right(image):
            self.close()
            return [self._reading(stamp_ns, self._gate.level, 0)]
        refused = self._stepper.observe(0, np.stack([one for one, _ in seen]), actions)
        if refused is not None:
            return [self._begin(image, stamp_ns)]
        self._lived = self._real = frames[-1]
        return [self._at_real_image(one, at_ns) for one, at_ns in seen]

    def _imagine(self, frames: range, actions: Actions) -> list[Reading]:
        made = self._stepper.step({0: actions})[0]
        self._lived = frames[-1]
        if isinstance(made, RowError):
            stamp_ns = self._seen[self._newest][1]
            self.close()
            return [self._unknown(stamp_ns, f"the model failed: {made.reason}")]
        pairs = [(frame, one, self._seen.pop(frame, None)) for frame, one in zip(frames, made, strict=True)]
        return [self._compare(frame, one, *real) for frame, one, real in pairs if real is not None]

    def _action_of(self, frame: int) -> Actions:
        """The action that leads to a frame: the newest one half a period before its image's time or earlier."""
        until_ns = self._began_ns + frame * self._period_ns - self._period_ns // 2
        at = bisect_right(self._action_ns, until_ns) - 1
        return self._actions[max(at, 0)]

    def _at_real_image(self, image: Frame, stamp_ns: int) -> Reading:
        """A window begins."""
        self._reference, self._trusted = image, 0
        self._unbroken = self._gate.level is Level.OK
        self._gate.begin_window()
        level = Level.UNKNOWN if self._calibration is None else self._gate.level
        return self._reading(stamp_ns, level, 0)

    def _compare(self, frame: int, imagined: Frame, image: Frame, stamp_ns: int) -> Reading:
        if image.shape != imagined.shape:
            raise InputError("image", list(image.shape), f"resize it to the model's {list(imagined.shape)}")
        assert self._reference is not None
        since_real = frame - self._real
        raw = deviations(imagined[None], image[None], self._reference)[0]
        decibels = psnr_db(imagined=imagined, reference=image)
        if self._calibration is None:
            why = f"not calibrated for {self._window} frames: give a file made by `lingbot evaluate --calibrate`"
            return self._reading(stamp_ns, Level.UNKNOWN, since_real, raw, decibels=decibels, reason=why)
        scaled = self._calibration.scaled(raw)
        before = self._gate.level
        level = self._gate.add(float(scaled.max()))
        worst = int(scaled.argmax())
        usual = self._calibration.high[worst]
        name = list(COMPONENTS)[worst].replace("_", " ")
        said = f"{name} {raw[worst]:.3g} at frame {since_real}; in 95 % of normal frames it is at most {usual:.3g}"
        self._unbroken = self._unbroken and level is Level.OK
        if self._unbroken:
            self._trusted = since_real
        if level is Level.STOP and before is not Level.STOP:
            self._parted = True
            self._why_stopped = f"reality has left the imagined future: {said}"
        reason = {Level.OK: "", Level.STOP: self._why_stopped}.get(level, said)
        return self._reading(stamp_ns, level, since_real, raw, scaled, decibels, reason)

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


def normal_windows(
    stepper: ObservingStepper, episodes: Sequence[Episode], window: int, progress: Callable[[], None] = lambda: None
) -> list[NDArray[np.float64]]:
    """The deviations [window, components] of every whole window that a monitor lives through in the episodes, in which
    nothing is wrong: what `calibrate` takes. `progress` is called after each episode.
    """
    period_ns = round(_NS / stepper.fps)
    found: list[NDArray[np.float64]] = []
    for episode in episodes:
        monitor, rows = Monitor(stepper, None, window), list[tuple[float, ...]]()
        for frame, image in enumerate(episode.images):
            if frame:
                monitor.act(episode.actions[frame - 1], _NS + (frame - 1) * period_ns)
            elif episode.steps:
                monitor.act(episode.actions[0], _NS)
            # Copied out: what is mapped from disk cannot be written to, which PyTorch warns of.
            for reading in monitor.show(np.array(image), _NS + frame * period_ns):
                rows = rows if reading.frame else []
                rows += [reading.raw] if reading.frame else []
                if len(rows) == window:
                    found.append(np.array(rows))
        monitor.close()
        progress()
    return found
