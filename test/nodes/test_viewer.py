"""The page's server before a real node: driving, futures, moments, and what strangers may not do."""

import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lingbot_msgs.msg import ErrorCode
from test.support.imagination import NodeUnderTest, Probe, isolated_environment, picture, running_node
from test.support.viewer import PageSocket, running_viewer

pytest.importorskip("uvicorn")


class Served:
    """A node in realtime, a client of it, and the address of its page."""

    def __init__(self, node: NodeUnderTest, probe: Probe, url: str) -> None:
        self.node, self.probe, self.url = node, probe, url
        self.host = urlsplit(url).netloc

    def get(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        """One HTTP request; `headers` with _ for -."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
        return connection.getresponse()

    def upload(self, image: NDArray[np.uint8]) -> str:
        """The name of an uploaded image, uint8 [H, W, 3] RGB."""
        data = io.BytesIO()
        Image.fromarray(image).save(data, "PNG")
        answer = self.get("/image", "POST", data.getvalue(), Origin=f"http://{self.host}")
        return str(json.loads(answer.read())["image"])


@pytest.fixture(scope="module")
def served(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("viewer")
    with running_node(folder, model__name=model, mode="realtime") as (node, probe):
        probe.bring_up()
        environment = isolated_environment(probe.context.get_domain_id())
        with running_viewer(environment, folder / "viewer.log") as url:
            yield Served(node, probe, url)


@pytest.fixture
def page(served: Served) -> Iterator[PageSocket]:
    """A page that shows a new world."""
    page = PageSocket(served.url)
    page.wait(lambda: page.state.get("model") and page.state.get("status"))
    reply = page.ask("new_world", seed=3, image=served.upload(picture()))
    assert reply["error_code"] == 0, reply["error_msg"]
    page.wait(lambda: 0 in page.images and page.state["frame"])
    yield page
    page.close()


def test_holding_drives_the_present(served: Served, page: PageSocket) -> None:
    served.probe.infos.clear()
    page.wait(lambda: page.state["frame"]["index"] >= 3, values=[0.25, 0.5])
    driven = [info for info in served.probe.infos if list(info.control) == [0.25, 0.5]]
    assert driven
    assert page.state["driver"] == "you"
    assert page.state["model"]["control"] in ("pointer", "values")
    film = served.get("/film.mp4")
    assert (film.status, film.read()[4:8]) == (200, b"ftyp")


def test_pause_step_and_resume(served: Served, page: PageSocket) -> None:
    page.wait(lambda: page.state["frame"]["index"] >= 1, values=[0.5, 0.5])
    assert page.ask("pause", paused=True)["error_code"] == 0
    page.wait(lambda: page.state["status"]["state"] == "paused")
    before = page.state["frame"]["index"]
    assert page.ask("step")["error_code"] == 0
    page.wait(lambda: page.state["frame"]["index"] == before + 1)
    page.ask("pause", paused=False)
    page.wait(lambda: page.state["status"]["state"] != "paused")


def test_futures_run_apart_and_one_becomes_the_present(served: Served, page: PageSocket) -> None:
    assert page.ask("futures", count=2)["error_code"] == 0
    page.wait(lambda: page.state["futures"] == 2 and {1, 2} <= page.images.keys())
    assert page.images[1] == page.images[2], "both begin at the present"
    page.wait(lambda: page.images[1] != page.images[2], stream=2, values=[0.9, 0.1])
    chosen = page.images[2]
    page.send(type="drive", stream=2)
    assert page.ask("adopt", future=2)["error_code"] == 0
    page.wait(lambda: page.state["futures"] == 0 and page.state["status"]["state"] != "paused")
    assert page.images[0] == chosen or page.images[0]
    assert len(served.probe.infos) > 0


def test_a_moment_is_kept_and_returned_to(page: PageSocket) -> None:
    image, kept = page.images[0], page.ask("keep")
    assert kept["error_code"] == 0
    page.wait(lambda: page.images[0] != image, values=[0.1, 0.9])
    page.send(type="drive")
    assert page.ask("return_to", moment=kept["result"]["moment"])["error_code"] == 0
    page.wait(lambda: page.images[0] == image)
    assert page.ask("return_to", moment=999)["error_code"] == ErrorCode.INVALID_INPUT


def test_an_uploaded_image_begins_a_world(served: Served, page: PageSocket) -> None:
    before = page.images[0]
    assert page.ask("new_world", seed=1, image=served.upload(picture(40, seed=5)))["error_code"] == 0
    page.wait(lambda: page.images[0] != before)
    bad = served.get("/image", "POST", b"no image", Origin=f"http://{served.host}")
    assert (bad.status, b"image: got" in bad.read()) == (400, True)


def test_bad_messages_are_answered_and_reach_no_node(served: Served, page: PageSocket) -> None:
    rejected = served.probe.statuses[-1].controls_rejected
    for text in ("{", '{"type": "drive", "values": [1e999]}', '{"type": "drive", "keys": "q"}'):
        page.notices.clear()
        page.send_raw(text)
        page.wait(lambda: page.notices)
    page.notices.clear()
    page.wait(lambda: page.notices or page.state["notice"], values=[0.1, 0.2, 0.3])
    assert page.ask("prompt", text="<script>alert(1)</script>")["error_code"] == ErrorCode.INVALID_INPUT
    assert served.probe.statuses[-1].controls_rejected == rejected


def test_one_page_drives_and_another_can_take_over(served: Served, page: PageSocket) -> None:
    other = PageSocket(served.url)
    page.wait(lambda: page.state["driver"] == "you", values=[0.5, 0.5])
    page.send(type="drive", values=[0.5, 0.5])
    other.wait(lambda: any("another page drives" in text for text in other.notices), values=[0.1, 0.1])
    other.ask("take_over")
    page.wait(lambda: page.state["driver"] == "another")
    other.close()
    page.wait(lambda: page.state["driver"] != "another" and page.state["pages"] == 1)


def test_strangers_are_refused(served: Served) -> None:
    for origin in ("http://evil.example", "null", None):
        with pytest.raises(InvalidStatus) as refused:
            PageSocket(served.url, origin=origin)
        assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as refused:  # after DNS rebinding, Origin equals Host
        PageSocket(served.url, host="evil.example", origin="http://evil.example")
    assert refused.value.response.status_code == 403
    assert served.get("/", Host="evil.example").status == 403
    assert served.get("/image", "POST", b"x").status == 403
    page = served.get("/")
    assert page.status == 200
    assert "default-src 'none'" in str(page.getheader("Content-Security-Policy"))
    assert served.get("/../server.py").status == 404


def test_too_many_pages_and_too_large_messages_are_bounded(served: Served, page: PageSocket) -> None:
    others = [PageSocket(served.url) for _ in range(15)]
    for _ in range(35):
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            PageSocket(served.url).wait(lambda: False)
    others[0].send_raw("x" * 70_000)
    with pytest.raises(ConnectionClosed):
        others[0].wait(lambda: False)
    for other in others[1:]:
        other.close()
    page.wait(lambda: page.state["pages"] == 1)


def test_other_machines_need_the_token(served: Served, tmp_path: Path) -> None:
    environment = isolated_environment(served.probe.context.get_domain_id())
    with running_viewer(environment, tmp_path / "viewer.log", host="0.0.0.0") as url:
        port, token = urlsplit(url).port, urlsplit(url).query
        away = Served(served.node, served.probe, f"http://127.0.0.1:{port}/")
        assert away.get("/").status == 403
        assert away.get("/?token=wrong").status == 403
        answer = away.get(f"/?{token}")
        cookie = str(answer.getheader("Set-Cookie"))
        assert (answer.status, "HttpOnly" in cookie, "samesite=strict" in cookie.lower()) == (303, True, True)
        assert away.get("/", Cookie=cookie.split(";", maxsplit=1)[0]).status == 200
        with pytest.raises(InvalidStatus):
            PageSocket(away.url)
        PageSocket(away.url, Cookie=cookie.split(";", maxsplit=1)[0]).close()
    assert token.split("=")[1] not in (tmp_path / "viewer.log").read_text()
