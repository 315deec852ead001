"""A page behind a slow link: what the server sends passes a relay of so many bytes per second."""

import json
import socket
import struct
import threading
import time
from contextlib import suppress

import cv2
import numpy as np
from websockets.sync.client import connect

from benchmarks.viewer.mark import DAY_MS, read

_PIECE_BYTES = 4096
_HEADER_BYTES = 24


class SlowPage:
    """Acknowledges what arrives. `delays_ms`: age of each picture at its arrival."""

    def __init__(self, port: int, bytes_per_s: float) -> None:
        self.delays_ms: list[int] = []
        self._ended = threading.Event()
        relay = socket.create_server(("127.0.0.1", 0))
        relay.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIECE_BYTES)
        threading.Thread(target=_relay, args=(relay, port, bytes_per_s), daemon=True).start()
        own = relay.getsockname()[1]
        threading.Thread(target=self._watch, args=(own,), daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _watch(self, port: int) -> None:
        with connect(f"ws://127.0.0.1:{port}/socket", origin=f"http://127.0.0.1:{port}", max_queue=1) as page:
            while not self._ended.is_set():
                message = page.recv()
                if isinstance(message, str):
                    continue
                arrived_ms = time.time_ns() // 1_000_000 % DAY_MS
                page.send(json.dumps({"type": "ack", "sequence": struct.unpack("<I", message[4:8])[0]}))
                picture = cv2.imdecode(np.frombuffer(message[_HEADER_BYTES:], np.uint8), cv2.IMREAD_COLOR)
                self.delays_ms.append(arrived_ms - read(picture)[1])


def _relay(listening: socket.socket, port: int, bytes_per_s: float) -> None:
    near, _ = listening.accept()
    far = socket.socket()
    far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIECE_BYTES)  # else megabytes wait in the kernel
    far.connect(("127.0.0.1", port))
    threading.Thread(target=_pump, args=(near, far, None), daemon=True).start()
    _pump(far, near, bytes_per_s)


def _pump(source: socket.socket, target: socket.socket, bytes_per_s: float | None) -> None:
    with suppress(OSError):
        due_s = time.monotonic()
        while piece := source.recv(_PIECE_BYTES):
            target.sendall(piece)
            if bytes_per_s is not None:
                due_s = max(due_s, time.monotonic() - 0.05) + len(piece) / bytes_per_s
                time.sleep(max(0.0, due_s - time.monotonic()))
