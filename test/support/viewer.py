"""The viewer as a process of its own, and a page's end of its socket."""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from test.support.imagination import PATIENCE_S


@contextmanager
def running_viewer(environment: dict[str, str], log: Path, **parameters: object) -> Iterator[str]:
    """The address that the viewer prints."""
    command = [sys.executable, "-P", "-m", "lingbot_ros.nodes.viewer.main", "--ros-args", "-p", "port:=0"]
    for name, value in parameters.items():
        command += ["-p", f"{name}:={value}"]
    with (
        log.open("w") as file,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=file, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first.startswith("open http://"), log.read_text()
            yield first.removeprefix("open ").strip()
        finally:
            process.terminate()
            assert process.wait(PATIENCE_S) in (0, -15), log.read_text()


class PageSocket:
    """What a page does, without the page. Frames are acknowledged at once; the newest state and image are kept."""

    def __init__(self, url: str, **headers: str) -> None:
        host = url.split("//")[1].split("/", maxsplit=1)[0]
        self._opened = ExitStack()
        origin = headers.pop("origin", f"http://{host}")
        # The socket is connected already, so that `host` is only what the client claims.
        address, port = host.split(":")
        named = f"{headers.pop('host', address)}:{port}"
        connection = connect(
            f"ws://{named}/socket",
            origin=origin,
            additional_headers=headers,
            close_timeout=1.0,
            sock=socket.create_connection((address, int(port))),
        )
        self._socket: ClientConnection = self._opened.enter_context(connection)
        self.state: dict[str, Any] = {}
        self.images: dict[int, bytes] = {}
        self.notices: list[str] = []
        self._replies: dict[int, dict[str, Any]] = {}
        self._asked = 0

    def send(self, **message: Any) -> None:
        self._socket.send(json.dumps(message))

    def send_raw(self, text: str) -> None:
        self._socket.send(text)

    def ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The reply."""
        self._asked += 1
        self.send(type="request", id=self._asked, name=name, **arguments)
        self.wait(lambda: self._asked in self._replies)
        return self._replies[self._asked]

    def wait(self, condition: Any, **held: Any) -> None:
        """Hear until the condition holds, repeating what is held."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"did not happen; state {self.state}, notices {self.notices}"
            if held:
                self.send(type="drive", **held)
            self._hear()

    def close(self) -> None:
        self._opened.close()

    def _hear(self) -> None:
        try:
            message = self._socket.recv(timeout=0.1)
        except TimeoutError:
            return
        if isinstance(message, bytes):
            stream, sequence = struct.unpack("<HI", message[2:8])
            self.images[stream] = message[24:]
            self.send(type="ack", sequence=sequence)
            return
        heard = json.loads(message)
        if heard["type"] == "state":
            self.state = heard
        elif heard["type"] == "notice":
            self.notices.append(heard["text"])
        else:
            self._replies[heard["id"]] = heard
