"""`lingbot setup`: what an engine or the documentation needs, in one line."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingbot_ros.errors import LingbotError

ENGINES = ("onnxruntime", "tensorrt", "tensorrt_rtx")

HELP = "install an optional part into this environment: an engine, or the generator of the documentation"

_EXTRAS = {"onnxruntime": "onnx"}
"""Extras of the package whose names are not the engine's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be installed."""
    part = parser.add_mutually_exclusive_group(required=True)
    part.add_argument("--engine", choices=ENGINES, help="an engine that runs networks")
    part.add_argument("--docs", action="store_true", help="what ./lingbot docs needs (20 MB)")


def run(args: argparse.Namespace) -> int:
    """Install with pip, then print the versions. Raises EngineError or LingbotError."""
    from lingbot_ros.errors import EngineError, LingbotError

    if args.docs:
        _install("docs", "docs", "docs.txt", LingbotError)
        print("./lingbot docs shows the documentation now")
    else:
        _install(args.engine, _EXTRAS.get(args.engine, args.engine), f"engine_{args.engine}.txt", EngineError)
        print("lingbot engines says what runs here now")
    return 0


def _install(part: str, extra: str, list_name: str, refused: "type[LingbotError]") -> None:
    """Install a list of packages, and print the version of each. Raises `refused`."""
    import importlib.metadata
    import subprocess
    import sys

    from lingbot_ros.environment import layout
    from lingbot_ros.environment.packages import read_pins

    line = f'pip install "lingbot_ros[{extra}]"'
    if sys.prefix == sys.base_prefix:
        raise refused(f"setup: this Python belongs to the system; make a virtual environment, there {line}")
    lists = Path(layout.__file__).parent / "requirements"
    wanted = lists / list_name
    options = ["install", "--no-input", "--disable-pip-version-check", "-c", lists / "constraints.txt", "-r", wanted]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pip", *map(str, options)],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if "rror" in line]
        fix = "see that pip reaches its index, for tensorrt also NVIDIA's own, or use another engine"
        if part == "docs":
            fix = "see that pip reaches its index"
        raise refused(f"setup: NOT_INSTALLED: pip could not install {part} ({' '.join(said[-1:])}); {fix}")
    for pin in read_pins(wanted):
        name = pin.partition("==")[0]
        print(f"{name} {importlib.metadata.version(name)}")
