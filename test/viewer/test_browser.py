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

from test.support.imagination import PATIENCE_S, ROOT, isolated_environment

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
def page(url: str) -> Iterator[Any]:
    """The page with its world; an error in the browser's console is a failure."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        page.locator(".view canvas[data-frames]").wait_for()
        yield page
        browser.close()
        assert not complaints


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


def test_a_phone_shows_all_in_one_column(page: Any, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    page.locator(".view canvas[data-frames]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=tmp_path / "phone.png", full_page=True)
