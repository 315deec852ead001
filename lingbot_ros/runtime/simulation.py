"""A world that behaves as simulators do: loaded, played, paused, stepped, reset. The worker's thread owns it.

Time and frames are those of one session, which every stop and reset of state begins anew.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.motion import motion_of
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.runtime.enums import ControlSource, ControlState, Mode
from lingbot_ros.runtime.records import Control, StartRequest
from lingbot_ros.runtime.rollout import Rollout
from lingbot_ros.runtime.scene import Scene
from lingbot_ros.runtime.served_world import ServedWorld
from lingbot_ros.world import WorldInfo

SESSION = "simulation"
"""Id of the simulator's session."""


class SimulationState(IntEnum):
    """`simulation_interfaces/SimulationState`."""

    STOPPED = 0
    PLAYING = 1
    PAUSED = 2
    QUITTING = 3
    NO_WORLD = 4
    LOADING_WORLD = 5


class StateError(LingbotError):
    """The simulation is in a state that does not allow the call. Nothing was changed."""

    code = ErrorCode.SESSION_CLOSED


class NotPausedError(StateError):
    """Only a paused simulation can be stepped."""


class SameStateError(StateError):
    """The state that was asked for is the present one."""


class TransitionError(StateError):
    """No client may ask for that state."""


_BY_CLIENTS = (SimulationState.STOPPED, SimulationState.PLAYING, SimulationState.PAUSED, SimulationState.QUITTING)


class Simulation:
    """The state machine. `request_of`: what a session of a world is started from, with its stamp still to be set."""

    def __init__(self, info: WorldInfo, mode: Mode, request_of: Callable[[Scene], StartRequest]) -> None:
        self._info, self._mode, self._request_of = info, mode, request_of
        self.state = SimulationState.NO_WORLD
        self.world: Scene | None = None
        self._start_pose: NDArray[np.float64] | None = None

    def load(self, served: ServedWorld, world: Scene) -> None:
        """Take a world in the place of the present one and stop. What raises leaves the present one as it is."""
        self._refuse_when_quitting()
        if world.model != self._info.name:
            raise LingbotError(
                f"world.model: '{world.name}' needs {world.model}; this node runs {self._info.name}: start another "
                f"with model.name:={world.model}",
                ErrorCode.UNSUPPORTED,
            )
        self._require_control(world)
        before, self.state = self.state, SimulationState.LOADING_WORLD
        try:
            self._begin(served, world, 0)
        except BaseException:
            self.state = before
            raise
        self.world = world
        self._go(served, SimulationState.STOPPED)

    def unload(self, served: ServedWorld) -> None:
        """Free the world's session."""
        self._refuse_when_quitting()
        self._require_world(served)
        served.end_session(SESSION)
        self.world = None
        self._go(served, SimulationState.NO_WORLD)

    def set_state(self, served: ServedWorld, wanted: int) -> None:
        """Raises SameStateError, TransitionError for a state that is not for clients, StateError without a world."""
        self._refuse_when_quitting()
        if wanted == self.state:
            raise SameStateError(f"state: it is {self.state.name} already")
        if wanted not in _BY_CLIENTS:
            choices = ", ".join(f"{state.name} ({state.value})" for state in _BY_CLIENTS)
            raise TransitionError(f"state: got {wanted}; a client may ask for {choices}")
        state = SimulationState(wanted)
        if state is not SimulationState.QUITTING:
            world = self._require_world(served)
            if state is SimulationState.STOPPED:
                self._begin(served, world, 0)
        self._go(served, state)

    def reset(self, served: ServedWorld, *, of_time: bool, of_state: bool) -> None:
        """Back to the world's first image, to time 0, or both; playing or paused stays what it is."""
        self._refuse_when_quitting()
        world = self._require_world(served)
        if of_state:
            self._begin(served, world, 0 if of_time else served.session(SESSION).stamp_ns)
        elif of_time:
            served.set_back_time(SESSION)

    def begin_step(self, served: ServedWorld, canceled: Callable[[], bool]) -> Rollout:
        """One chunk, driven by what waits in the inbox, else by the last control, else by the world's own."""
        self._require_world(served)
        if self.state is not SimulationState.PAUSED:
            raise NotPausedError(f"state: {self.state.name}; pause the simulation first, only then it can be stepped")
        count = served.session(SESSION).next_chunk_frames
        rollout = Rollout(SESSION, served.waiting_controls(count) or self._idle(served, count), canceled=canceled)
        served.add_rollout(rollout)
        return rollout

    def _begin(self, served: ServedWorld, world: Scene, stamp_ns: int) -> None:
        request = self._request_of(world)
        served.start_session(replace(request, session_id=SESSION, start_stamp_ns=stamp_ns))
        self._start_pose = request.start_pose

    def _go(self, served: ServedWorld, state: SimulationState) -> None:
        self.state = state
        # In realtime, playing means that time passes, whether or not anybody drives; lockstep waits for its controls.
        plays = state is SimulationState.PLAYING
        drive = partial(self._drive, served) if plays and self._mode is Mode.REALTIME else None
        served.pause(not plays, drive)

    def _drive(self, served: ServedWorld, count: int) -> Sequence[Control] | None:
        """For the generator: the simulator drives its own session only, not another that a client made active."""
        return self._idle(served, count) if served.active_id == SESSION else None

    def _idle(self, served: ServedWorld, count: int) -> Sequence[Control]:
        last = served.last_control(SESSION)
        if last is not None:
            own = last.source is ControlSource.NONE
            return [last if own else replace(last, state=ControlState.HELD)] * count
        world = self._require_world(served)
        if self._info.control.kind == "camera":
            pose = np.eye(4) if self._start_pose is None else self._start_pose
            return [self._own(motion_of(self._info.control, self._info.fps).stand(pose))] * count
        assert world.control is not None  # as `load` has checked
        return [self._own(world.control)] * count

    def _own(self, values: object) -> Control:
        return Control(
            values=np.asarray(values, np.float64),
            source=ControlSource.NONE,
            received_s=time.monotonic(),
            state=ControlState.STOPPED,
        )

    def _refuse_when_quitting(self) -> None:
        if self.state is SimulationState.QUITTING:
            raise StateError("state: QUITTING, which nothing ends")

    def _require_world(self, served: ServedWorld) -> Scene:
        if self.world is not None and not served.is_open(SESSION):  # a client may have ended the session itself
            self.world = None
            self._go(served, SimulationState.NO_WORLD)
        if self.world is None:
            raise StateError("no world is loaded; call load_world first")
        return self.world

    def _require_control(self, world: Scene) -> None:
        control = self._info.control
        if control.kind != "action":
            return
        if world.control is None or len(world.control) != len(control.names):
            got = None if world.control is None else world.control.tolist()
            fix = f"give {len(control.names)} numbers ({', '.join(control.names)}): the control until another arrives"
            raise InputError("world.control", got, fix)
