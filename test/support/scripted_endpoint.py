"""A server that speaks OpenAI's chat protocol and answers by a script; it keeps what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], str | int]
"""What to say to a request: a text, or the HTTP status of a failure."""


class ScriptedEndpoint:
    """asked: bodies of the requests; keys: their Authorization headers."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.asked.append({"path": self.path, **body})
                endpoint.keys.append(self.headers["Authorization"])
                said = endpoint.answer(body)
                message = {"role": "assistant", "content": said}
                reply = {"id": "0", "object": "chat.completion", "created": 0, "model": body["model"],
                         "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}  # fmt: skip
                data = json.dumps(reply).encode()
                self.send_response(said if isinstance(said, int) else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def text(self, index: int = -1) -> str:
        """What a request said beside its images."""
        return str(self.asked[index]["messages"][0]["content"][-1]["text"])


@contextmanager
def scripted_endpoint(answer: Answer) -> Iterator[ScriptedEndpoint]:
    endpoint = ScriptedEndpoint(answer)
    threading.Thread(target=endpoint.server.serve_forever, daemon=True).start()
    try:
        yield endpoint
    finally:
        endpoint.server.shutdown()
        endpoint.server.server_close()
