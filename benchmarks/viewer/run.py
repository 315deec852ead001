"""Latency, loss and cost of the page: ./lingbot python benchmarks/viewer/run.py [--seconds 60] [--out FILE].

A synthetic node publishes 30 pictures of 480x832 per second, two pages in headless Chromium draw them, and a third
client is on a link of 400 kB/s. Latency is from before the picture is encoded until it is drawn: each picture has its
number and time burnt in. Needs `pip install playwright` and a Chromium.
"""

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.viewer.mark import DAY_MS, PAGE_SCRIPT
from benchmarks.viewer.slow_link import SlowPage

ROOT = Path(__file__).resolve().parents[2]
SLOW_LINK_BYTES_PER_S = 400_000
PAGES = 2
_PART_S = 30.0
_AWAY_S = 3.0


class Programs:
    """The source and the server, which can be ended and started again."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        # Not those of the tests, 60 to 99.
        domain = {"ROS_DOMAIN_ID": str(random.randrange(40, 60)), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
        self._environment = {**os.environ, **domain, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self.source = self.start_source()
        self.server, self.url = self.start_server(0)

    def start_source(self) -> "subprocess.Popen[str]":
        return self._start("benchmarks.viewer.source")

    def start_server(self, port: int) -> tuple["subprocess.Popen[str]", str]:
        server = self._start("lingbot_ros.nodes.viewer.main", "--ros-args", "-p", f"port:={port}")
        assert server.stdout is not None
        return server, server.stdout.readline().split()[1]

    def _start(self, module: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", module, *arguments]
        program = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT
        )
        self._stack.callback(program.kill)
        return program


def cpu_s(program: "subprocess.Popen[str]") -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{program.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def take(page: Page) -> np.ndarray:
    """What was drawn since the last call: int [n, 3], number, age and time in ms."""
    return np.array(page.evaluate("window.drawn.splice(0)"), int).reshape(-1, 3)


def percentiles(ages_ms: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Median, 95th and 99th of ages in ms."""
    return {f"p{part}_ms": round(float(np.percentile(ages_ms, part)), 1) for part in (50, 95, 99)}


def described(drawn: np.ndarray) -> dict[str, Any]:
    """Of one page."""
    published = int(drawn[-1, 0] - drawn[0, 0] + 1)
    span_s = (drawn[-1, 2] - drawn[0, 2]) / 1e3
    parts = [
        drawn[(drawn[:, 2] - drawn[0, 2]) // (_PART_S * 1e3) == part, 1] for part in range(int(span_s // _PART_S) + 1)
    ]
    return {
        "fps": round((len(drawn) - 1) / span_s, 2),
        "lost_percent": round(100 * (1 - len(np.unique(drawn[:, 0])) / published), 3),
        **percentiles(drawn[:, 1]),
        "p50_ms_each_half_minute": [round(float(np.median(part))) for part in parts if len(part) > _PART_S],
    }


def first_after(page: Page, limit_s: float = 60.0) -> int:
    """When the first picture from now on is drawn, in ms of the day. Raises TimeoutError."""
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        drawn = take(page)
        if len(drawn):
            return int(drawn[0, 2])
        page.wait_for_timeout(5)
    raise TimeoutError("nothing was drawn")


def returns(programs: Programs, page: Page) -> dict[str, float]:
    """Seconds until the page draws again: after the node's first picture, and after the server says that it is up."""
    programs.source.kill()
    programs.source.wait()
    time.sleep(_AWAY_S)
    take(page)
    programs.source = programs.start_source()
    assert programs.source.stdout is not None
    began_ms = int(programs.source.stdout.readline())
    result = {"node_s": round((first_after(page) - began_ms) / 1e3, 2)}
    port = int(programs.url.rstrip("/").rpartition(":")[2])
    programs.server.kill()
    programs.server.wait()
    time.sleep(_AWAY_S)
    take(page)
    programs.server, _ = programs.start_server(port)
    up_ms = time.time_ns() // 1_000_000 % DAY_MS
    result["server_s"] = round((first_after(page) - up_ms) / 1e3, 2)
    return result


def measure(seconds: float) -> dict[str, Any]:
    """The whole report."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with ExitStack() as stack:
        programs = Programs(stack)
        driver = stack.enter_context(sync_playwright())
        pages = []
        for _ in range(PAGES):
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            stack.callback(browser.close)
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.add_init_script(PAGE_SCRIPT)
            page.goto(programs.url)
            first_after(page)
            pages.append(page)
        slow = SlowPage(int(programs.url.rstrip("/").rpartition(":")[2]), SLOW_LINK_BYTES_PER_S)
        pages[0].wait_for_timeout(2000)
        for page in pages:
            take(page)
        slow.delays_ms.clear()
        load, used_s, started_s = os.getloadavg(), cpu_s(programs.server), time.monotonic()
        drawn: list[list[np.ndarray]] = [[] for _ in pages]
        while time.monotonic() - started_s < seconds:
            pages[0].wait_for_timeout(1000)
            for page, kept in zip(pages, drawn, strict=True):
                kept.append(take(page))
        share = (cpu_s(programs.server) - used_s) / (time.monotonic() - started_s)
        slow.end()
        return {
            "seconds": round(time.monotonic() - started_s, 1),
            "pages": [described(np.concatenate(kept)) for kept in drawn],
            "server_percent_of_a_core": round(100 * share, 1),
            "slow_client": {
                "bytes_per_s": SLOW_LINK_BYTES_PER_S,
                **percentiles(slow.delays_ms),
                "pictures": len(slow.delays_ms),
            },
            "back_after": returns(programs, pages[0]),
            "load_before_and_after": [round(load[0], 1), round(os.getloadavg()[0], 1)],
            "cores": len(os.sched_getaffinity(0)),
            "machine": platform.machine(),
            "python": platform.python_version(),
        }


def main() -> None:
    """Measure, print, and write where --out says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    report = json.dumps(measure(args.seconds), indent=1)
    print(report)
    if args.out is not None:
        args.out.write_text(report + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
