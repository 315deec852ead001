"""The web application: the page and its files, one socket for each open page, uploads and films."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.viewer.backend import Backend
from lingbot_ros.viewer.frames import Codec, Frame, FrameSlot
from lingbot_ros.viewer.messages import Ack, Drive, Request, Watch, parse
from lingbot_ros.viewer.uploads import MOST_BYTES, Uploads

MOST_PAGES = 16
_STATE_S = 1.0
_PAGE = Path(__file__).parent / "page"
_FILES = {"": "index.html", "viewer.js": "viewer.js", "style.css": "style.css", "icon.svg": "icon.svg"}
_TRY_AGAIN_LATER = 1013
_STATUS = {ErrorCode.INVALID_INPUT: 400, ErrorCode.BUSY: 503}
_MEDIA = {Codec.JPEG: "image/jpeg", Codec.PNG: "image/png"}


class ViewerServer:
    """Serves one backend. `app` is the ASGI application, without the guard."""

    def __init__(self, backend: Backend) -> None:
        self._backend, self._uploads = backend, Uploads()
        self._pages: dict[int, _Page] = {}
        self._numbers = itertools.count(1)
        files = [Route(f"/{path}", self._file(name)) for path, name in _FILES.items()]
        routes = [
            *files,
            Route("/image", self._upload, methods=["POST"]),
            Route("/film.mp4", self._film),
            Route("/moment/{number:int}", self._moment),
            WebSocketRoute("/socket", self._socket),
        ]
        self.app = Starlette(routes=routes, lifespan=self._life)

    @contextlib.asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncIterator[None]:
        self._backend.begin(self._on_frame, self._tell_state)
        ticking = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            ticking.cancel()
            await self._backend.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_STATE_S)
            self._tell_state()

    def _on_frame(self, frame: Frame) -> None:
        for page in self._pages.values():
            page.slot.put(frame)

    def _tell_state(self) -> None:
        if not self._pages:
            return
        state, driver = self._backend.state(), self._backend.seat.driver(time.monotonic())
        for number, page in self._pages.items():
            drives = "nobody" if driver is None else "you" if driver == number else "another"
            page.tell({"type": "state", "driver": drives, "pages": len(self._pages), **state})

    async def _socket(self, socket: WebSocket) -> None:
        if len(self._pages) >= MOST_PAGES:
            await socket.close(_TRY_AGAIN_LATER)
            return
        await socket.accept()
        number, page = next(self._numbers), _Page(socket)
        self._pages[number] = page
        for frame in self._backend.newest():
            page.slot.put(frame)
        self._tell_state()
        sending = [asyncio.create_task(page.send_frames()), asyncio.create_task(page.send_texts())]
        try:
            while True:
                await self._hear(number, page, await socket.receive_text())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            pass  # the page is gone; a binary message, which no page sends, raises KeyError
        finally:
            for task in (*sending, *page.answering):
                task.cancel()
            del self._pages[number]
            self._backend.seat.leave(number)
            self._tell_state()

    async def _hear(self, number: int, page: "_Page", text: str) -> None:
        try:
            message = parse(text)
        except InputError as error:
            page.tell({"type": "notice", "text": str(error)})
            return
        if isinstance(message, Ack):
            page.slot.acknowledge(message.sequence)
        elif isinstance(message, Watch):
            page.slot.watch(message.visible)
        elif isinstance(message, Drive):
            if not self._backend.seat.drive(number, message, time.monotonic()):
                page.tell({"type": "notice", "text": "another page drives; take over to drive from here"})
        elif message.name == "take_over":
            self._backend.seat.take_over(number, time.monotonic())
            page.tell({"type": "reply", "id": message.id, "error_code": 0, "error_msg": ""})
            self._tell_state()
        else:
            page.answer(self._answer(page, message))

    async def _answer(self, page: "_Page", request: Request) -> None:
        reply: dict[str, Any] = {"type": "reply", "id": request.id, "error_code": 0, "error_msg": ""}
        try:
            reply["result"] = dict(await self._backend.answer(request, self._uploads))
        except LingbotError as error:
            reply["error_code"], reply["error_msg"] = int(error.code), str(error)
        page.tell(reply)
        self._tell_state()

    async def _upload(self, request: HttpRequest) -> Response:
        data = bytearray()
        try:
            async for part in request.stream():
                data += part
                if len(data) > MOST_BYTES:
                    raise InputError("image", f"over {MOST_BYTES} bytes", "give a smaller file")
            name = await asyncio.to_thread(self._uploads.add, bytes(data))
        except LingbotError as error:
            return JSONResponse({"error_msg": str(error)}, _STATUS.get(error.code, 500))
        return JSONResponse({"image": name})

    async def _film(self, _: HttpRequest) -> Response:
        try:
            data = await self._backend.film()
        except LingbotError as error:
            return JSONResponse({"error_msg": str(error)}, 404)
        headers = {"Content-Disposition": "attachment; filename=imagined.mp4"}
        return Response(data, headers=headers, media_type="video/mp4")

    async def _moment(self, request: HttpRequest) -> Response:
        frame = self._backend.moment_image(request.path_params["number"])
        return Response(status_code=404) if frame is None else Response(frame.image, media_type=_MEDIA[frame.codec])

    def _file(self, name: str) -> Any:
        async def answer(_: HttpRequest) -> Response:
            return FileResponse(_PAGE / name)

        return answer


class _Page:
    """One open page. Texts wait in a bounded queue: a page that does not read them loses the oldest."""

    _MOST_TEXTS = 64
    _MOST_ANSWERS = 8

    def __init__(self, socket: WebSocket) -> None:
        self._socket, self.slot = socket, FrameSlot()
        self._texts: asyncio.Queue[str] = asyncio.Queue(self._MOST_TEXTS)
        self.answering: set[asyncio.Task[None]] = set()

    def tell(self, message: dict[str, Any]) -> None:
        if self._texts.full():
            self._texts.get_nowait()
        self._texts.put_nowait(json.dumps(message, allow_nan=False))

    def answer(self, work: Any) -> None:
        """Answer a request beside the others; too many at once are refused."""
        if len(self.answering) >= self._MOST_ANSWERS:
            work.close()
            self.tell({"type": "notice", "text": "too many requests at once; wait for the answers"})
            return
        task = asyncio.create_task(work)
        self.answering.add(task)
        task.add_done_callback(self.answering.discard)

    async def send_frames(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self._socket.send_bytes(await self.slot.take())

    async def send_texts(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self._socket.send_text(await self._texts.get())
