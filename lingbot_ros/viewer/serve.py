"""Runs the page until the process is asked to end."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.viewer.backend import Backend
from lingbot_ros.viewer.guard import Guard, host_names, is_loopback, new_token
from lingbot_ros.viewer.server import ViewerServer

_MOST_MESSAGE_BYTES = 64 * 1024
_PAGES_MAY_END_S = 1
DEFAULT_PORT = 8420


@dataclass(frozen=True)
class Address:
    """Where the page is served. host: 127.0.0.1 = this machine only. port: 0 = any free one."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT


def serve(
    backend: Backend, address: Address, announce: Callable[[str], None], ended: Callable[[], bool] = lambda: False
) -> None:
    """Serve until SIGINT, SIGTERM or `ended()`. `announce` gets the address to open, with its token if it has one.

    Raises InputError for an address that cannot be bound.
    """
    with _bound(address) as listening:
        port = listening.getsockname()[1]
        token = None if is_loopback(address.host) else new_token()
        app = Guard(ViewerServer(backend).app, host_names(address.host), port, token)
        config = uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_max_size=_MOST_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            access_log=False,  # it would show the token
            log_level="warning",
            timeout_graceful_shutdown=_PAGES_MAY_END_S,
        )
        announce(_link(address.host, port, token))
        try:
            _Server(config, ended).run(sockets=[listening])
        except SystemExit as error:  # the application did not start; uvicorn has logged why
            raise LingbotError("the page could not be served; see the log above", ErrorCode.INTERNAL) from error


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ended: Callable[[], bool]) -> None:
        super().__init__(config)
        self._ended = ended

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second; True ends the server."""
        return await super().on_tick(counter) or self._ended()


def _bound(address: Address) -> socket.socket:
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((address.host, address.port), family=family)
    except (OSError, OverflowError) as error:
        where = f"{address.host}:{address.port}"
        raise InputError("--port", where, f"choose another port or host, for instance --port 0 ({error})") from error


def _link(host: str, port: int, token: str | None) -> str:
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    if ":" in name:
        name = f"[{name}]"
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")
