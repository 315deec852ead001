"""The threads of an active agent: one drives, one writes prompts, one keeps to a schedule."""

import threading
import time
from collections.abc import Callable, Sequence

from rclpy.lifecycle import LifecycleNode

from lingbot_ros.agent.decision import Decision, Limits, Velocity, ramp
from lingbot_ros.agent.director import Director
from lingbot_ros.agent.pilot import Pilot
from lingbot_ros.control.prompts import PromptEvent
from lingbot_ros.errors import LingbotError
from lingbot_ros.nodes.agent.camera import Camera
from lingbot_ros.nodes.agent.commands import Commands
from lingbot_ros.nodes.refusals import refuse

_TICK_S = 0.1
_AFTER_FAILURE_S = 1.0
_ENDING_S = 2.0


class Activity:
    """What goes on between activate and deactivate. A model that is thinking then is not waited for, and its answer
    comes to nothing.
    """

    def __init__(self, node: LifecycleNode, camera: Camera, commands: Commands, image_timeout_s: float) -> None:
        self._node, self._camera, self._commands, self._image_timeout_s = node, camera, commands, image_timeout_s
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def drive(self, pilot: Pilot, limits: Limits) -> None:
        """Look, decide, act, and look again; while the model thinks, the robot stands still."""
        self._begin("pilot", lambda: self._drive(pilot, limits))

    def direct(self, director: Director, period_s: float) -> None:
        """Let a model write a prompt every `period_s`."""
        self._begin("director", lambda: self._direct(director, period_s))

    def follow(self, schedule: Sequence[PromptEvent]) -> None:
        """Publish prompts at their times, in milliseconds of the node's clock from now on."""
        self._begin("schedule", lambda: self._follow(schedule))

    def end(self) -> None:
        """Idempotent."""
        self._ended.set()
        self._commands.close()
        for thread in self._threads:
            thread.join(_ENDING_S)

    def _begin(self, name: str, loop: Callable[[], None]) -> None:
        # A daemon: a model that thinks for minutes must not keep the process from ending.
        thread = threading.Thread(target=loop, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _drive(self, pilot: Pilot, limits: Limits) -> None:
        while not self._ended.is_set():
            image = self._camera.next_image(self._image_timeout_s)
            if image is None:
                self._say_blind("the pilot waits, standing still")
                self._commands.stand()
                continue
            try:
                decision = pilot.decide(image)
            except LingbotError as error:
                self._commands.stop()
                self._commands.report(error=str(error))
                refuse(self._node, "pilot", error, always=True)
                self._ended.wait(_AFTER_FAILURE_S)
                continue
            self._commands.report(seen=decision.seen, commands=[_told(s.command) for s in decision.segments])
            self._act(decision, limits)
        self._commands.stop()

    def _act(self, decision: Decision, limits: Limits) -> None:
        velocity = Velocity()
        for segment in decision.segments:
            until_s = time.monotonic() + segment.duration_s
            while not self._ended.is_set() and (left_s := until_s - time.monotonic()) > 0:
                if isinstance(segment.command, Velocity):
                    velocity = ramp(velocity, segment.command, _TICK_S, limits)
                    self._commands.move(velocity)
                else:
                    self._commands.move(segment.command)
                self._ended.wait(min(_TICK_S, left_s))
        self._commands.stop()

    def _direct(self, director: Director, period_s: float) -> None:
        while not self._ended.is_set():
            image = self._camera.next_image(self._image_timeout_s)
            if image is None:
                self._say_blind("the director waits")
                continue
            try:
                self._commands.say(director.next_prompt(image))
            except LingbotError as error:
                refuse(self._node, "director", error, always=True)
            self._ended.wait(period_s)

    def _follow(self, schedule: Sequence[PromptEvent]) -> None:
        clock = self._node.get_clock()
        begin_ns = clock.now().nanoseconds
        for event in schedule:
            while (clock.now().nanoseconds - begin_ns) < event.frame * 1_000_000:
                if self._ended.wait(_TICK_S):
                    return
            self._commands.say(event.prompt)

    def _say_blind(self, consequence: str) -> None:
        if not self._ended.is_set():
            topic, limit = self._node.resolve_topic_name("image_raw"), self._image_timeout_s
            sentence = f"no image on {topic} for {limit:g} s (image_timeout): {consequence}"
            self._node.get_logger().warning(sentence, throttle_duration_sec=10.0)


def _told(command: str | Velocity) -> str | dict[str, float]:
    if isinstance(command, str):
        return command
    return {"forward": command.forward, "left": command.left, "turn": command.turn}
