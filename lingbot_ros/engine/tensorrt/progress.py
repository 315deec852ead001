"""How far a build is: NVIDIA's builder tells of nested phases, people want a share and a time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

Report = Callable[[float, float], None]
"""Is given the share that is done, from 0 to 1, and the seconds that are left."""


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class BuildProgress:
    """Adds phases up. `cancel` ends the build at its next step; so does an exception of `report`, e.g. an interrupt."""

    def __init__(self, report: Report | None = None) -> None:
        self._report, self._started = report, time.monotonic()
        self._phases: dict[str, _Phase] = {}
        self._share = 0.0
        self.cancelled = False
        self.raised: BaseException | None = None

    def cancel(self) -> None:
        """May be called from any thread."""
        self.cancelled = True

    def start(self, name: str, parent: str | None, steps: int) -> None:
        self._phases[name] = _Phase(parent, steps)

    def step(self, name: str, index: int) -> bool:
        """Whether the build shall go on."""
        if name in self._phases:
            self._phases[name].done = index + 1
        self._share = max(self._share, self._done())
        self._tell()
        return not self.cancelled

    def finish(self, name: str) -> None:
        phase = self._phases.pop(name, None)
        if phase is not None and phase.parent is None and not self.cancelled:
            self._share = 1.0
            self._tell()

    def _tell(self) -> None:
        if self._report is None or self.cancelled:
            return
        share, spent = self._share, time.monotonic() - self._started
        try:
            self._report(share, spent * (1 - share) / share if share else 0.0)
        except BaseException as error:  # it must not pass through C++; `compile_graph` raises it
            self.raised, self.cancelled = error, True

    def _done(self) -> float:
        """The share of the outermost phase, with those inside its current step. Some phases do not tell all steps."""
        within: dict[str | None, float] = {}
        for name, phase in reversed(self._phases.items()):
            within[phase.parent] = min((phase.done + within.get(name, 0.0)) / max(phase.steps, 1), 1.0)
        return within.get(None, 0.0)


@cache
def _monitor_class(trt: ModuleType) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[name-defined]
        def __init__(self, progress: BuildProgress) -> None:
            trt.IProgressMonitor.__init__(self)
            self._progress = progress

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._progress.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return self._progress.step(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            self._progress.finish(phase_name)

    return Monitor


def monitor_of(trt: ModuleType, progress: BuildProgress) -> Any:
    """What the builder calls."""
    return _monitor_class(trt)(progress)
