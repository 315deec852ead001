"""Settings of a worker that runs a tiny model on one thread."""

from pathlib import Path

from lingbot_ros.runtime.enums import Mode
from lingbot_ros.runtime.inbox import StalePolicy
from lingbot_ros.runtime.real_images import ObserveSettings
from lingbot_ros.runtime.session_table import Limits
from lingbot_ros.runtime.worker import WorkerSettings
from lingbot_ros.world import LoadOptions


def worker_settings(
    model: Path, snapshot_folder: Path, mode: Mode = Mode.LOCKSTEP, observe: ObserveSettings | None = None
) -> WorkerSettings:
    return WorkerSettings(
        options=LoadOptions(str(model), device="cpu", precision="f32", threads=1),
        mode=mode,
        control_capacity=64,
        control_timeout_s=1.0,
        stale=StalePolicy.HOLD,
        limits=Limits(),
        snapshot_folder=snapshot_folder,
        observe=observe or ObserveSettings(),
    )
