"""Counts, rates and latencies of a live world over the last few seconds."""

import math
import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from lingbot_ros.errors import ErrorCode, LingbotError, printable
from lingbot_ros.runtime.records import FrameRecord

_WINDOW_S = 5.0
_SAMPLES = 512


@dataclass(frozen=True)
class LastError:
    """The most recent failure; wall_ns is the system clock at that moment."""

    code: ErrorCode
    message: str
    wall_ns: int


@dataclass(frozen=True)
class Figures:
    """A reading of `Statistics`. Rates are per second of wall time, times in seconds; NaN = nothing to measure."""

    fps: float
    latency_p50_s: float
    latency_p99_s: float
    chunk_p50_s: float
    chunk_p99_s: float
    published: int
    dropped: int
    rejected: int
    observed: int
    errors: int
    last_error: LastError | None
    last_frame: FrameRecord | None


class Statistics:
    """Thread-safe. The worker, the pacer and the callbacks write; timers read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._published_s: deque[float] = deque(maxlen=_SAMPLES)
        self._latency_s: deque[tuple[float, float]] = deque(maxlen=_SAMPLES)
        self._chunk_s: deque[float] = deque(maxlen=_SAMPLES)
        self._published = self._dropped = self._rejected = self._observed = self._errors = 0
        self._last_error: LastError | None = None
        self._last_control_s = -math.inf
        self._last_frame: FrameRecord | None = None

    def add_frame(self, frame: FrameRecord) -> int:
        """Count a published frame and return its number, from 1. Latency counts at the first frame of each control."""
        now_s = time.monotonic()
        with self._lock:
            self._published += 1
            self._published_s.append(now_s)
            self._last_frame = frame
            control = frame.control
            if control is not None and control.received_s > self._last_control_s:
                self._last_control_s = control.received_s
                self._latency_s.append((now_s, now_s - control.received_s))
            return self._published

    def add_chunk(self, total_s: float) -> None:
        with self._lock:
            self._chunk_s.append(total_s)

    def add_dropped(self, count: int) -> None:
        with self._lock:
            self._dropped += count

    def add_rejected(self) -> None:
        with self._lock:
            self._rejected += 1

    def add_observed(self, frames: int) -> None:
        with self._lock:
            self._observed += frames

    def add_error(self, error: BaseException) -> LastError:
        """Remember a failure; a fault that is no LingbotError is INTERNAL."""
        code = error.code if isinstance(error, LingbotError) else ErrorCode.INTERNAL
        message = str(error) if isinstance(error, LingbotError) else printable(f"{type(error).__name__}: {error}")
        with self._lock:
            self._errors += 1
            self._last_error = LastError(code, message, time.time_ns())
            return self._last_error

    def slowest_chunk_s(self) -> float:
        """The longest of the last chunks' computation times; 0 before the first."""
        with self._lock:
            return max(list(self._chunk_s)[-16:], default=0.0)

    def figures(self) -> Figures:
        since_s = time.monotonic() - _WINDOW_S
        with self._lock:
            recent = [at for at in self._published_s if at >= since_s]
            latency = [value for at, value in self._latency_s if at >= since_s]
            p50, p99 = _percentiles(latency)
            chunk_p50, chunk_p99 = _percentiles(list(self._chunk_s)[-64:])
            return Figures(
                fps=(len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else math.nan,
                latency_p50_s=p50,
                latency_p99_s=p99,
                chunk_p50_s=chunk_p50,
                chunk_p99_s=chunk_p99,
                published=self._published,
                dropped=self._dropped,
                rejected=self._rejected,
                observed=self._observed,
                errors=self._errors,
                last_error=self._last_error,
                last_frame=self._last_frame,
            )


def _percentiles(values: list[float]) -> tuple[float, float]:
    if not values:
        return math.nan, math.nan
    low, high = np.percentile(values, (50, 99))
    return float(low), float(high)
