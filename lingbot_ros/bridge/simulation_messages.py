"""The standard simulator interfaces <-> this package's values. Imported only where `simulation_interfaces` is there."""

import json
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Twist, Vector3
from numpy.typing import NDArray
from simulation_interfaces.msg import EntityState, Resource, Result, SimulatorFeatures, WorldResource
from simulation_interfaces.srv import LoadWorld, SetSimulationState
from std_msgs.msg import Header

from lingbot_ros.bridge.cameras import camera_to_world_to_pose, pose_to_camera_to_world
from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.control.axes import BODY_FROM_OPTICAL
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.runtime.records import FrameRecord, StartRequest
from lingbot_ros.runtime.scene import FORMAT, Scene, WorldAssetError, WorldElementError, WorldParseError
from lingbot_ros.runtime.scene_catalog import FormatError, UnknownWorldError
from lingbot_ros.runtime.simulation import SameStateError, StateError, TransitionError
from lingbot_ros.world import WorldInfo

CAN = (
    SimulatorFeatures.ENTITY_TAGS,
    SimulatorFeatures.ENTITY_CATEGORIES,
    SimulatorFeatures.ENTITY_STATE_GETTING,
    SimulatorFeatures.ENTITY_INFO_GETTING,
    SimulatorFeatures.SIMULATION_RESET,
    SimulatorFeatures.SIMULATION_RESET_TIME,
    SimulatorFeatures.SIMULATION_RESET_STATE,
    SimulatorFeatures.SIMULATION_RESET_SPAWNED,
    SimulatorFeatures.SIMULATION_STATE_GETTING,
    SimulatorFeatures.SIMULATION_STATE_SETTING,
    SimulatorFeatures.SIMULATION_STATE_PAUSE,
    SimulatorFeatures.STEP_SIMULATION_SINGLE,
    SimulatorFeatures.STEP_SIMULATION_MULTIPLE,
    SimulatorFeatures.STEP_SIMULATION_ACTION,
    SimulatorFeatures.WORLD_LOADING,
    SimulatorFeatures.WORLD_RESOURCE_STRING,
    SimulatorFeatures.WORLD_TAGS,
    SimulatorFeatures.WORLD_UNLOADING,
    SimulatorFeatures.WORLD_INFO_GETTING,
    SimulatorFeatures.AVAILABLE_WORLDS,
)

# The first that fits wins: the special ones come first.
_CODES: tuple[tuple[type[Exception], int], ...] = (
    (SameStateError, SetSimulationState.Response.ALREADY_IN_TARGET_STATE),
    (TransitionError, SetSimulationState.Response.INCORRECT_TRANSITION),
    (StateError, Result.RESULT_INCORRECT_STATE),
    (FormatError, LoadWorld.Response.UNSUPPORTED_FORMAT),
    (UnknownWorldError, LoadWorld.Response.NO_RESOURCE),
    (WorldElementError, LoadWorld.Response.UNSUPPORTED_ELEMENTS),
    (WorldAssetError, LoadWorld.Response.MISSING_ASSETS),
    (WorldParseError, LoadWorld.Response.RESOURCE_PARSE_ERROR),
)


def ok() -> Result:
    """Done as asked."""
    return Result(result=Result.RESULT_OK)


def unsupported(what: str) -> Result:
    """For what a video model does not have; the answer that the standard foresees."""
    said = f"{what}: an imagined world has no such thing; get_simulator_features tells what works"
    return Result(result=Result.RESULT_FEATURE_UNSUPPORTED, error_message=said)


def failed(error: Exception) -> Result:
    """The standard's code for an error, and its sentence."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), Result.RESULT_OPERATION_FAILED)
    if isinstance(error, LingbotError):
        by_code = {
            ErrorCode.NOT_ACTIVE: Result.RESULT_INCORRECT_STATE,
            ErrorCode.UNSUPPORTED: LoadWorld.Response.UNSUPPORTED_ASSETS,  # a world of another model
        }
        code = by_code.get(error.code, code)
    return Result(result=int(code), error_message=str(error))


def features(info: WorldInfo, missing: Sequence[str] = ()) -> SimulatorFeatures:
    """What works, and in `custom_info`, as JSON, what a planner must know of an imagined world.

    missing: services that the installed version of the interfaces lacks.
    """
    custom_info = {
        "simulator": "lingbot_ros",
        "model": info.name,
        "engine": str(info.engine),
        "frames_per_step": info.frames_per_chunk,
        "fps": info.fps,
        "world_format": FORMAT,
        "entities": "the camera; its pose is what was commanded, not what was measured",
        "services_missing_in_the_interfaces": list(missing),
        "images": "predicted, not simulated: no contact forces, no metric guarantee",
    }
    return SimulatorFeatures(features=list(CAN), spawn_formats=[], custom_info=json.dumps(custom_info))


def world_resource(world: Scene) -> WorldResource:
    """A loaded or loadable world: by address where it has one, by its text otherwise."""
    resource = Resource(uri=f"file://{world.source}") if world.source else Resource(resource_string=world.text)
    return WorldResource(name=world.name, world_resource=resource, description=world.description, tags=list(world.tags))


def request_of_world(world: Scene, info: WorldInfo) -> StartRequest:
    """What a session of the world is started from; its id and stamp are the simulator's."""
    intrinsics = None
    if world.intrinsics is not None:
        fx, fy, cx, cy = world.intrinsics.tolist()
        intrinsics = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    start_pose = None
    if info.control.kind == "camera":
        x, y, z, w = world.orientation.tolist()
        px, py, pz = world.position.tolist()
        pose = Pose(position=Point(x=px, y=py, z=pz), orientation=Quaternion(x=x, y=y, z=z, w=w))
        start_pose = pose_to_camera_to_world(pose, "world.start_pose")
    return StartRequest(
        start_stamp_ns=0,
        image=world.image,
        intrinsics=intrinsics,
        start_pose=start_pose,
        prompt=world.prompt,
        seed=world.seed,
    )


def camera_state(newest: FrameRecord | None, before: FrameRecord | None, fps: float, map_frame: str) -> EntityState:
    """Where the imagined camera is, as commanded, and how it moved since the frame before; both in the map frame.

    The camera of an action model stands where its session began: at the map's origin.
    """
    state = EntityState(header=Header(frame_id=map_frame))
    state.pose.orientation.w = 1.0
    if newest is None:
        return state
    state.header.stamp = to_time(newest.stamp_ns)
    pose = _pose_of(newest)
    if pose is not None:
        state.pose = camera_to_world_to_pose(pose)
        last = None if before is None else _pose_of(before)
        if last is not None:
            state.twist = _twist(last, pose, fps)
    return state


def _pose_of(record: FrameRecord) -> NDArray[np.float64] | None:
    control: Any = record.control
    return None if control is None or control.values.ndim != 2 else control.values[:4]


def _twist(last: NDArray[np.float64], pose: NDArray[np.float64], fps: float) -> Twist:
    linear = (pose[:3, 3] - last[:3, 3]) * fps
    turned = (pose[:3, :3] @ BODY_FROM_OPTICAL.T) @ (last[:3, :3] @ BODY_FROM_OPTICAL.T).T
    angular = cv2.Rodrigues(turned)[0].ravel().astype(np.float64) * fps
    return Twist(linear=_vector(linear), angular=_vector(angular))


def _vector(values: NDArray[np.float64]) -> Vector3:
    x, y, z = (float(value) for value in values)
    return Vector3(x=x, y=y, z=z)
