"""A person at the page, in Chromium: `./lingbot test --slow test/viewer/test_browser.py`."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("playwright.sync_api", reason="pip install playwright")

from playwright.sync_api import sync_playwright

from test.support.domains import give_back, take_domain
from test.support.imagination import PATIENCE_S, ROOT, NodeUnderTest, Probe, isolated_environment
from test.support.viewer import running_viewer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-P", "-m", "lingbot_ros.cli.main", "imagine", "--view", "--port", "0", "--seed", "3"]
    with subprocess.Popen(command, env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield next(line.split()[1] for line in process.stdout if line.startswith("open "))
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


@pytest.fixture
def browser() -> Iterator[Any]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """The page with its world; an error in the browser's console is a failure."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    page.locator(".view canvas[data-frames]").wait_for()
    yield page
    assert not complaints


class Rooms:
    """A node with `rooms-small`, which can be killed and started again, and the address of its page."""

    def __init__(self, folder: Path, environment: dict[str, str], probe: Probe, url: str) -> None:
        self._folder, self._environment, self._probe, self.url = folder, environment, probe, url

    def start(self) -> None:
        parameters = {"model.name": "rooms-small", "model.threads": 1, "mode": "realtime"}
        main = "lingbot_ros.nodes.imagination.main"
        self._node = NodeUnderTest(self._environment, parameters, (), self._folder / "node.log", main)
        self._probe.bring_up()

    def kill(self) -> None:
        self._node.process.kill()
        self._node.process.wait()
        # Until DDS has noticed: a request to a server that is dead would be lost.
        self._probe.wait(lambda: self._probe.node.count_services("/imagination/change_state") == 0)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    folder, domain = tmp_path_factory.mktemp("rooms"), take_domain()
    environment, probe = isolated_environment(domain), Probe(domain)
    with running_viewer(environment, folder / "viewer.log") as url:
        node = Rooms(folder, environment, probe, url)
        node.start()
        yield node
        node.kill()
    probe.close()
    give_back(domain)


def begin(page: Any) -> None:
    """A new world, by the page's button."""
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".view canvas[data-frames]").wait_for(timeout=1000 * PATIENCE_S)


def image_of(page: Any) -> np.ndarray:
    """float [H, W, 3]: what the page shows."""
    height, data = page.evaluate(
        "() => { const c = document.querySelector('.view canvas');"
        " return [c.height, Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)]; }"
    )
    return np.array(data, float).reshape(height, -1, 4)[..., :3]


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Mean difference of the levels, 0 to 255."""
    return float(np.abs(after - before).mean())


def hold(page: Any, view: int, x: float, y: float, frames: int) -> None:
    """Press on a view at a share of its size until it has shown so many frames more."""
    canvas = page.locator(".view canvas").nth(view)
    box = canvas.bounding_box()
    before = int(canvas.get_attribute("data-frames"))
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.down()
    while int(canvas.get_attribute("data-frames")) < before + frames:
        page.wait_for_timeout(50)
    page.mouse.up()


def pusher(page: Any, view: int = 0) -> np.ndarray:
    """Centre of the blue disc, in shares of the image."""
    pixels = page.evaluate(
        "(n) => { const c = document.querySelectorAll('.view canvas')[n];"
        " return [c.width, Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)]; }",
        view,
    )
    image = np.array(pixels[1], int).reshape(-1, pixels[0], 4)
    rows, columns = np.nonzero((image[..., 2] > 200) & (image[..., 0] < 120))
    return np.array([columns.mean(), rows.mean()]) / pixels[0]


def test_the_robot_follows_the_pointer(page: Any) -> None:
    for target in ((0.15, 0.85), (0.85, 0.15)):
        hold(page, 0, *target, frames=25)
        assert np.abs(pusher(page) - target).max() < 0.06


def test_futures_differ_and_one_goes_on(page: Any) -> None:
    page.keyboard.press("f")
    page.locator(".view").nth(3).wait_for()
    hold(page, 1, 0.2, 0.2, frames=15)
    apart = np.abs(pusher(page, 1) - pusher(page, 0)).max()
    assert apart > 0.1
    chosen = pusher(page, 1)
    page.get_by_role("button", name="Go on here").nth(1).click()
    page.locator(".view").nth(1).wait_for(state="detached")
    while np.abs(pusher(page) - chosen).max() > 0.02:
        page.wait_for_timeout(50)


def test_a_reload_shows_the_same_world(page: Any) -> None:
    hold(page, 0, 0.5, 0.8, frames=10)
    before = pusher(page)
    page.reload()
    page.locator(".view canvas[data-frames]").wait_for()
    assert np.abs(pusher(page) - before).max() < 0.02


GAMEPAD = """
window.pad = null;
window.polls = 0;
navigator.getGamepads = () => {
  window.polls += window.pad ? 1 : 0;
  return [window.pad && { mapping: "standard", axes: window.pad, buttons: [] }];
};
"""


def test_a_gamepad_drives_a_camera(browser: Any, rooms: Rooms) -> None:
    """Within the dead zone nothing is held; the left stick moves, the right one looks, letting go stops."""
    page = browser.new_page()
    page.add_init_script(GAMEPAD)
    page.goto(rooms.url)
    begin(page)
    pressed = page.locator(".pad button.on")
    page.evaluate("window.pad = [0.1, -0.1, 0, 0]")
    while page.evaluate("window.polls") < 3:
        page.wait_for_timeout(50)
    assert pressed.count() == 0
    before = image_of(page)
    page.evaluate("window.pad = [0, -1, 0.7, 0]")
    page.locator(".pad button.on[data-key=w]").wait_for()
    page.locator(".pad button.on[data-key=l]").wait_for()
    while change(before, image_of(page)) < 5:
        page.wait_for_timeout(50)
    page.evaluate("window.pad = null")
    pressed.first.wait_for(state="detached")


def test_the_page_goes_on_when_the_node_comes_back(browser: Any, rooms: Rooms) -> None:
    page = browser.new_page()
    page.goto(rooms.url)
    begin(page)
    rooms.kill()
    page.locator("#hint", has_text="does not answer").wait_for()
    rooms.start()
    page.locator("#hint", has_text="There is no world yet").wait_for(timeout=1000 * PATIENCE_S)
    begin(page)
    before = image_of(page)
    page.keyboard.down("w")
    while change(before, image_of(page)) < 2:
        page.wait_for_timeout(50)
    page.keyboard.up("w")


def test_a_phone_shows_all_in_one_column(page: Any, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    page.locator(".view canvas[data-frames]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=tmp_path / "phone.png", full_page=True)
