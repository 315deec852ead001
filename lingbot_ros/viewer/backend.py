"""What the server needs of a world; the node `viewer` offers it over ROS."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from lingbot_ros.viewer.driver import DrivingSeat
from lingbot_ros.viewer.frames import Frame
from lingbot_ros.viewer.messages import Request
from lingbot_ros.viewer.uploads import Uploads

Json = Mapping[str, Any]


class Backend(Protocol):
    """Called on the event loop; nothing blocks it."""

    def begin(self, on_frame: Callable[[Frame], None], on_change: Callable[[], None]) -> None:
        """Start. Both callbacks are called on the event loop: a frame has come, the state has changed."""
        ...

    async def close(self) -> None:
        """End, and leave no futures behind."""
        ...

    def state(self) -> Json:
        """What the page shows beside the frames: model, rates, engine, trust, futures, moments."""
        ...

    async def answer(self, request: Request, uploads: Uploads) -> Json:
        """Do what a page asks for. Raises LingbotError with a sentence for the page."""
        ...

    def newest(self) -> list[Frame]:
        """The newest frame of each stream, for a page that has just opened."""
        ...

    def moment_image(self, moment: int) -> Frame | None:
        """The image of a kept moment."""
        ...

    async def film(self) -> bytes:
        """The last frames that were shown, as an MP4 file. Raises LingbotError when there are none."""
        ...

    @property
    def seat(self) -> DrivingSeat:
        """Who drives, and what is held."""
        ...
