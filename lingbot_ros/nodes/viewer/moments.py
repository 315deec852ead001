"""Moments of the present that a person keeps, to go back to: snapshots of the node, with their images."""

from collections.abc import Callable
from typing import Any

from lingbot_msgs.srv import RestoreSession, SaveSession
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.nodes.viewer.link import ImaginationLink
from lingbot_ros.viewer.frames import Frame

_MOST = 24


class Moments:
    """Numbered from 1. The oldest makes room, in the node's snapshot folder too."""

    def __init__(self, link: ImaginationLink, show: Callable[[Frame], None]) -> None:
        self._link, self._show = link, show
        self._frames: dict[int, Frame] = {}
        self._made = 0

    async def keep(self, frame: Frame | None) -> int:
        """Save the active session, which shows `frame`; returns the number. Raises LingbotError."""
        if frame is None:
            raise LingbotError("there is no frame to keep yet", ErrorCode.SESSION_CLOSED)
        number = self._made + 1
        request = SaveSession.Request(path=_path(number), overwrite=True)
        await self._link.call(SaveSession, "save_session", request)
        self._made = number
        self._frames[number] = frame
        while len(self._frames) > _MOST:
            del self._frames[min(self._frames)]
        return number

    async def return_to(self, number: int, session_id: str) -> None:
        """Set the session back. Raises InputError for a number that is not kept, LingbotError of the node."""
        if number not in self._frames:
            raise InputError("moment", number, "choose one of those that are shown")
        request = RestoreSession.Request(path=_path(number), session_id=session_id)
        await self._link.call(RestoreSession, "restore_session", request)
        self._show(self._frames[number])

    def image(self, number: int) -> Frame | None:
        """The image of a moment."""
        return self._frames.get(number)

    def listed(self) -> list[dict[str, Any]]:
        """For the page: number and imagined time, oldest first."""
        return [{"moment": number, "time_s": frame.time_s} for number, frame in self._frames.items()]

    def clear(self) -> None:
        """A new world begins."""
        self._frames.clear()


def _path(number: int) -> str:
    return f"viewer-moment-{(number - 1) % _MOST + 1}"
