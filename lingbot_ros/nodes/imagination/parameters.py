"""Parameters of the imagination node: declared with meaning and range, then read once into a frozen config."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingbot_ros.control.camera import UNIT_STEP
from lingbot_ros.control.frames import plain_frame
from lingbot_ros.control.rays import check_intrinsics
from lingbot_ros.errors import InputError
from lingbot_ros.home import expanded, ros_home
from lingbot_ros.nodes.imagination.input_parameters import INPUT_PARAMETERS, InputConfig, input_config, priority
from lingbot_ros.nodes.model_parameters import MODEL_PARAMETERS, load_options
from lingbot_ros.nodes.parameter import Parameter
from lingbot_ros.runtime.enums import Mode
from lingbot_ros.runtime.inbox import StalePolicy
from lingbot_ros.runtime.intrinsics import CameraDefaults
from lingbot_ros.runtime.real_images import ObserveSettings
from lingbot_ros.runtime.session_table import Limits
from lingbot_ros.runtime.worker import WorkerSettings

PARAMETERS = (
    *MODEL_PARAMETERS,
    Parameter("mode", "realtime", "realtime: paced at the model's rate with the newest control; lockstep: one chunk "
              "per complete set of controls", choices=("realtime", "lockstep")),
    Parameter("frames.map", "map", "fixed frame of the camera poses"),
    Parameter("frames.camera_optical", "camera_optical_frame", "frame_id of images, camera_info and frame_info"),
    Parameter("camera.intrinsics", [500.0, 500.0, 416.0, 240.0], "camera models: fx, fy, cx, cy for images without "
              "camera_info, in pixels of a frame of 832 x 480 as in released intrinsics files; fx = 0 refuses such "
              "images"),
    Parameter("camera.rectified", False, "images given with a camera_info are rectified, as image_rect is: P of the "
              "camera_info counts; false: they are as the lens made them, K counts and D must be zero"),
    Parameter("camera.unit_step", UNIT_STEP, "camera models: distance between two latent frames (4 frames) that the "
              "model sees as full speed, m", 1e-9, 1e9),
    *INPUT_PARAMETERS,
    Parameter("observe.every", 0, "follow a real camera on observed_image: in every N frames the last chunk is real "
              "and the others are imagined; 1 = every available real image is used; 0 = real images are refused", 0,
              1_000_000),
    Parameter("observe.queue", 64, "length of the queue of real images; when it is full, realtime drops the oldest and "
              "lockstep refuses the newest", 1, 4096),
    Parameter("publish.jpeg_quality", 80, "JPEG quality of image_raw/compressed", 1, 100),
    Parameter("publish.mask", False, "models that can tell: publish on mask_image which pixels were seen (255), "
              "painted (127) or are unknown (0)"),
    Parameter("publish.odom", True, "camera models: publish the imagined camera's pose on odom"),
    Parameter("publish.tf", False, "camera models: publish the imagined camera on /tf and /tf_static"),
    Parameter("publish.status_period", 1.0, "period of status messages and diagnostics, s", 0.05, 60.0),
    Parameter("limits.sessions", 8, "maximum number of open sessions", 1, 4096),
    Parameter("limits.memory", 0, "maximum size of the state of all sessions together, bytes; 0 = no limit", 0, 2**62),
    Parameter("limits.requests", 256, "length of the queue of service calls and goals; more are refused as BUSY", 1,
              100_000),
    Parameter("recording.folder", "", "folder of the bags; empty = $ROS_HOME/lingbot_ros/bags, or "
              "~/.ros/lingbot_ros/bags"),
    Parameter("recording.on_start", False, "start recording in configure"),
    Parameter("recording.compressed", False, "with recording.on_start: write images as JPEG, so that a replay cannot "
              "be compared exactly"),
    Parameter("recording.keep_free", 2**28, "disk space that recording leaves free, bytes", 0, 2**62),
    Parameter("simulator.enabled", False, "offer the standard simulator interfaces and publish /clock"),
    Parameter("simulator.world", "", "world that activation loads and pauses, a name or a path; empty = none"),
    Parameter("simulator.worlds", "", "folder of your own worlds, in addition to those of the package"),
    Parameter("snapshots.folder", "", "folder of saved sessions; empty = $ROS_HOME/lingbot_ros, or ~/.ros/lingbot_ros"),
)  # fmt: skip


@dataclass(frozen=True)
class RecordingConfig:
    """See the parameters `recording.*`."""

    folder: Path
    on_start: bool
    compressed: bool
    keep_free: int


@dataclass(frozen=True)
class SimulatorConfig:
    """See the parameters `simulator.*`."""

    enabled: bool
    world: str
    worlds: Path | None


@dataclass(frozen=True)
class ImaginationConfig:
    """The complete configuration of the node."""

    worker: WorkerSettings
    inputs: InputConfig
    load_timeout_s: float
    map_frame: str
    optical_frame: str
    start_on_image: bool
    rectified: bool
    jpeg_quality: int
    mask: bool
    odom: bool
    tf: bool
    status_period_s: float
    recording: RecordingConfig
    simulator: SimulatorConfig


def config_of(values: Mapping[str, Any]) -> ImaginationConfig:
    """The configuration of the values of all PARAMETERS by name.

    Raises InputError with the parameter, its value and the accepted values.
    """
    for parameter in PARAMETERS:
        parameter.check(values[parameter.name])
    return ImaginationConfig(
        worker=WorkerSettings(
            options=load_options(values),
            mode=Mode[str(values["mode"]).upper()],
            control_capacity=int(values["input.queue"]),
            control_timeout_s=float(values["input.action_timeout"]),
            stale=StalePolicy(str(values["input.stale"])),
            decay_s=float(values["input.decay_time"]),
            priority=priority(values["input.priority"]),
            limits=Limits(int(values["limits.sessions"]), int(values["limits.memory"]), int(values["limits.requests"])),
            snapshot_folder=_folder(str(values["snapshots.folder"])),
            camera=_camera(values["camera.intrinsics"], values["camera.unit_step"]),
            observe=ObserveSettings(int(values["observe.every"]), int(values["observe.queue"])),
        ),
        inputs=input_config(values),
        load_timeout_s=float(values["model.load_timeout"]),
        map_frame=plain_frame(str(values["frames.map"])),
        optical_frame=plain_frame(str(values["frames.camera_optical"])),
        start_on_image=bool(values["input.start_on_image"]),
        rectified=bool(values["camera.rectified"]),
        jpeg_quality=int(values["publish.jpeg_quality"]),
        mask=bool(values["publish.mask"]),
        odom=bool(values["publish.odom"]),
        tf=bool(values["publish.tf"]),
        status_period_s=float(values["publish.status_period"]),
        recording=RecordingConfig(
            folder=_folder(str(values["recording.folder"]), "bags"),
            on_start=bool(values["recording.on_start"]),
            compressed=bool(values["recording.compressed"]),
            keep_free=int(values["recording.keep_free"]),
        ),
        simulator=SimulatorConfig(
            enabled=bool(values["simulator.enabled"]),
            world=str(values["simulator.world"]),
            worlds=_own_worlds(str(values["simulator.worlds"])),
        ),
    )


def _camera(intrinsics: Any, unit_step: Any) -> CameraDefaults:
    numbers = tuple(float(value) for value in intrinsics)
    if len(numbers) != 4:
        raise InputError("camera.intrinsics", list(numbers), "give four numbers: fx, fy, cx, cy")
    if numbers[:1] == (0.0,):
        numbers = (0.0, 0.0, 0.0, 0.0)
    else:
        try:
            check_intrinsics(numbers)
        except InputError as error:
            raise InputError("camera.intrinsics", error.value, error.fix) from error
    fx, fy, cx, cy = numbers
    return CameraDefaults((fx, fy, cx, cy), float(unit_step))


def _own_worlds(folder: str) -> Path | None:
    return expanded(folder, "simulator.worlds") if folder else None


def _folder(folder: str, below: str = "") -> Path:
    if folder:
        return expanded(folder, "recording.folder" if below else "snapshots.folder")
    return ros_home() / "lingbot_ros" / below
