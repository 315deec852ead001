"""One look at everything that a live world reports about itself."""

import resource
from dataclasses import dataclass

import torch

from lingbot_ros.runtime.enums import Mode, State
from lingbot_ros.runtime.inbox import InboxCounts
from lingbot_ros.runtime.real_images import ImageCounts
from lingbot_ros.runtime.served_world import WorldView
from lingbot_ros.runtime.statistics import Figures
from lingbot_ros.runtime.worker import WorldWorker

_KIBIBYTE = 1024


@dataclass(frozen=True)
class Health:
    """Numbers of one moment. queue_limit: how many controls may wait in lockstep."""

    state: State
    mode: Mode
    view: WorldView
    figures: Figures
    inbox: InboxCounts
    images: ImageCounts
    control_age_s: float
    control_timeout_s: float
    commands_waiting: int
    frames_waiting: int
    queue_limit: int
    device_memory_bytes: int


def read(worker: WorldWorker, device: str) -> Health:
    """Any thread. The state is FAILED when the worker's thread has died."""
    settings, view = worker.settings, worker.view
    return Health(
        state=view.state if worker.alive else State.FAILED,
        mode=settings.mode,
        view=view,
        figures=worker.statistics.figures(),
        inbox=worker.inbox.counts(),
        images=worker.images.counts(),
        control_age_s=worker.inbox.age_s(),
        control_timeout_s=settings.control_timeout_s,
        commands_waiting=worker.waiting_commands,
        frames_waiting=len(worker.buffer),
        queue_limit=settings.control_capacity,
        device_memory_bytes=_memory_bytes(device),
    )


def _memory_bytes(device: str) -> int:
    """Bytes taken on an accelerator, or the largest that this process has been where it computes on the CPU."""
    if device.startswith("cuda"):
        return torch.cuda.memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIBIBYTE
