"""The service `~/record`: what the node publishes goes to a bag as well."""

import itertools
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.serialization import serialize_message

from lingbot_msgs.srv import Record
from lingbot_ros.bridge.bag_messages import definitions, kind_of
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.nodes.imagination.names import file_name_of
from lingbot_ros.recording.recorder import Recorder
from lingbot_ros.recording.writer import Topic, message_types
from lingbot_ros.runtime.enums import Mode


class Recording:
    """At most one bag at a time. `put` costs nothing while there is none."""

    def __init__(self, running: NodeContext, on_change: Callable[[], None]) -> None:
        """`on_change`: called when a recording has begun or ended; the status that it publishes belongs in the bag."""
        self._running, self._config = running, running.config.recording
        self._folder = self._config.folder.resolve()
        self._recorder: Recorder | None = None
        self._on_change = on_change
        self.compressed = self._config.compressed
        self._service = running.node.create_service(
            Record,
            "~/record",
            self._on_record,
            qos_profile=qos.requests(running.config.worker.limits.requests),
            callback_group=running.goals,
        )

    def begin(self) -> None:
        """Record from now on if the parameters say so. Raises LingbotError when the bag cannot be written."""
        if self._config.on_start:
            self._start("", self._config.compressed)

    @property
    def running(self) -> bool:
        return self._recorder is not None and self._recorder.running

    @property
    def path(self) -> str:
        """Folder of the bag that is being written; empty = none."""
        return str(self._recorder.folder) if self._recorder is not None and self._recorder.running else ""

    @property
    def dropped(self) -> int:
        """Messages of the present or last bag that the disk was too slow for."""
        return 0 if self._recorder is None else self._recorder.recorded.dropped

    def put(self, topic: str, message: Any) -> None:
        """Write a message, which nobody may change any more, under the topic's full name."""
        recorder = self._recorder
        if recorder is not None and recorder.running:
            name = self._running.node.resolve_topic_name(topic)
            recorder.put(Topic(name, kind_of(message)), time.time_ns(), partial(serialize_message, message))

    def close(self) -> None:
        """Close the bag, if any; returns once it is complete."""
        if self._recorder is not None:
            self._stop(self._recorder)

    def destroy(self) -> None:
        self._running.node.destroy_service(self._service)

    def _on_record(self, request: Record.Request, response: Record.Response) -> Record.Response:
        try:
            if request.record:
                self._start(request.path, request.compressed)
            elif not self.running:
                raise LingbotError("record: nothing is being recorded", ErrorCode.SESSION_CLOSED)
            elif self._recorder is not None:
                self._stop(self._recorder)
        except Exception as error:  # the boundary to the client: it gets the code, the log gets the traceback
            self._running.refuse("record", error, response)
        if self._recorder is not None:
            recorded = self._recorder.recorded
            response.path, response.messages, response.size = str(recorded.folder), recorded.messages, recorded.size
        return response

    def _start(self, path: str, compressed: bool) -> None:
        if self.running:
            raise LingbotError(f"record: '{self.path}' is being written; stop it first", ErrorCode.BUSY)
        folder = self._inside(path) if path else self._unused()
        self._recorder = Recorder(
            folder,
            message_types(definitions()),
            self._parameters(),
            lossless=self._running.config.worker.mode is Mode.LOCKSTEP,
            keep_free=self._config.keep_free,
            on_failure=self._on_failure,
        )
        self.compressed = compressed
        self._running.node.get_logger().info(f"recording to {folder}")
        self._on_change()

    def _stop(self, recorder: Recorder) -> None:
        was_running = recorder.running
        recorded = recorder.stop()
        if was_running:
            lost = f"; {recorded.dropped} dropped: the disk is too slow" if recorded.dropped else ""
            log = self._running.node.get_logger()
            log.info(f"recorded {recorded.messages} messages ({recorded.size} bytes) to {recorded.folder}{lost}")

    def _on_failure(self, error: LingbotError) -> None:
        self._running.refuse("recording", error)
        self._on_change()

    def _parameters(self) -> dict[str, str]:
        """What a replay must know and no message says."""
        config = self._running.config
        worker = config.worker
        return {
            **{f"model.{name}": str(value) for name, value in worker.options.to_plain().items()},
            "camera.unit_step": repr(worker.camera.unit_step),
            "publish.jpeg_quality": str(config.jpeg_quality),
        }

    def _unused(self) -> Path:
        """Robots may share the folder and start in the same second."""
        name = f"imagined_{file_name_of(self._running.node)}_{time.strftime('%Y_%m_%d-%H_%M_%S')}"
        tries = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        return next(folder for folder in map(self._inside, tries) if not folder.exists())

    def _inside(self, path: str) -> Path:
        target = (self._folder / path).resolve()
        if not target.is_relative_to(self._folder) or target == self._folder:
            raise InputError("path", f"'{path}'", f"give a path inside the recording folder {self._folder}")
        return target
