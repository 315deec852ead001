"""A finite sequence of frames to imagine: its controls, progress and callbacks."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from lingbot_ros.control.prompts import PromptEvent, prompt_in_force
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.runtime.real_images import RealImage
from lingbot_ros.runtime.records import Control, FrameRecord, RolloutResult, SessionView
from lingbot_ros.runtime.served_session import ServedSession


@dataclass(eq=False)
class Rollout:
    """Controls for one or more whole chunks of one session. Rollouts of the same session run in sequence.

    on_chunk is called on the worker's thread after each chunk. `done` is set exactly once, also on failure.
    canceled is called between chunks. on_fork: use a temporary copy of the session and publish nothing.
    prompt: "" = unchanged. prompts: later changes, after which "" means the prompt of the beginning. real: one image
    per control, observed instead of imagined.
    """

    session_id: str
    controls: Sequence[Control]
    prompt: str = ""
    prompts: Sequence[PromptEvent] = ()
    real: Sequence[RealImage] = ()
    paced: bool = False
    on_fork: bool = False
    on_chunk: Callable[[Sequence[FrameRecord]], None] = lambda frames: None
    canceled: Callable[[], bool] = lambda: False
    done: Future[RolloutResult] = field(default_factory=Future)
    served: ServedSession | None = None
    base_prompt: str = ""
    frames: int = 0
    started_s: float = field(default_factory=time.monotonic)
    stop_reason: LingbotError | None = None

    def stop(self, reason: LingbotError) -> None:
        """End at the next chunk boundary with this reason. Thread-safe; the first reason is kept."""
        self.stop_reason = self.stop_reason or reason

    def check_canceled(self) -> None:
        if self.canceled():
            self.stop(LingbotError("canceled by the client", ErrorCode.CANCELED))

    def take(self, count: int) -> Sequence[Control]:
        """The controls of the next chunk."""
        return self.controls[self.frames : self.frames + count]

    def take_real(self, count: int) -> Sequence[RealImage]:
        """The real images of the next chunk; empty when it is imagined."""
        return self.real[self.frames : self.frames + count]

    def begin_prompt(self, session_prompt: str) -> None:
        """Note the prompt that the first chunk begins with, where the session has `session_prompt`."""
        self.base_prompt = self.prompt or session_prompt

    def next_prompt(self, count: int) -> str | None:
        """The prompt of the next chunk, of `count` frames; None where the session's stays as it is."""
        if self.prompts:
            return prompt_in_force(self.prompts, self.frames + count, self.base_prompt)
        return self.base_prompt if self.frames == 0 else None

    def finish(self, view: SessionView | None, error: BaseException | None = None) -> None:
        """Report the end to the client; a second call has no effect."""
        if not self.done.done():
            self.done.set_result(RolloutResult(self.frames, time.monotonic() - self.started_s, view, error))


def require_whole_chunks(count: int, first: int, later: int, field_name: str) -> None:
    """Raise InputError unless `count` controls fill a chunk of `first` frames and any number of `later` frames."""
    if count >= first and (count - first) % later == 0:
        return
    lower = first + max(0, (count - first) // later) * later
    choices = f"{first}" if count < first else f"{lower} or {lower + later}"
    raise InputError(field_name, f"{count} controls", f"give one per frame of whole chunks: {choices} here")
