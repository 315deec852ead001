"""A hub on this machine: the few HTTP answers from which `huggingface_hub` lists and fetches a repository."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"


class Hub(ThreadingHTTPServer):
    """Serves `root/OWNER/NAME/...`; files over 1 kB as large ones, stored under their SHA-256.

    `cut` closes the connection after that many bytes of a file, once per file name; `spoil` changes a byte of a file on
    its way; `ranges` lists the ranges that were asked for.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.cut: dict[str, int] = {}
        self.spoil: set[str] = set()
        self.ranges: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def running_hub(root: Path) -> Iterator[Hub]:
    """A hub for the time of a `with`."""
    hub = Hub(root)
    thread = Thread(target=hub.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _answer(self, body: bool) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            folder = self.server.root / parts[2] / parts[3]
            if not folder.is_dir():
                self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
            elif "tree" in parts:
                self._send(200, json.dumps([_entry(folder, path) for path in _files(folder)]).encode(), {}, body)
            else:
                info = {"id": "/".join(parts[2:4]), "sha": COMMIT, "siblings": []}
                self._send(200, json.dumps(info).encode(), {}, body)
            return
        path = self.server.root.joinpath(*parts[:2], *parts[4:])
        if path.is_file():
            self._send_file(path, body)
        else:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, body)

    def _send_file(self, path: Path, body: bool) -> None:
        data = path.read_bytes()
        entry = {"ETag": f'"{_address(data)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if path.name in self.server.spoil:
            data = data[:-1] + bytes([data[-1] ^ 1])
        start = 0
        if wanted := self.headers.get("Range"):
            self.server.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            entry["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        limit = self.server.cut.pop(path.name, None) if body else None
        self._send(206 if start else 200, data[start:], entry, body, limit)

    def _send(self, status: int, data: bytes, headers: Mapping[str, str], body: bool, limit: int | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data[:limit])
        if limit is not None:
            self.close_connection = True


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _address(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if len(data) > 1000 else hashlib.sha1(data).hexdigest()


def _entry(folder: Path, path: Path) -> dict[str, object]:
    data = path.read_bytes()
    name, blob = str(path.relative_to(folder)), hashlib.sha1(data).hexdigest()
    entry: dict[str, object] = {"type": "file", "path": name, "size": len(data), "oid": blob}
    if len(data) > 1000:
        entry["lfs"] = {"oid": _address(data), "size": len(data), "pointerSize": 130}
    return entry
