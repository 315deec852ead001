"""`lingbot setup`: what an engine needs, in one line."""

import argparse
from pathlib import Path

ENGINES = ("onnxruntime", "tensorrt", "tensorrt_rtx")

HELP = "install what an engine needs into this environment"

_EXTRAS = {"onnxruntime": "onnx"}
"""Extras of the package whose names are not the engine's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the engine."""
    parser.add_argument("--engine", choices=ENGINES, required=True, help="the engine that is wanted")


def run(args: argparse.Namespace) -> int:
    """Install with pip, then say whether the engine's libraries load. Raises EngineError."""
    import importlib.metadata
    import subprocess
    import sys

    from lingbot_ros.environment import layout
    from lingbot_ros.environment.packages import read_pins
    from lingbot_ros.errors import EngineError

    line = f'pip install "lingbot_ros[{_EXTRAS.get(args.engine, args.engine)}]"'
    if sys.prefix == sys.base_prefix:
        raise EngineError(f"setup: this Python belongs to the system; make a virtual environment, there {line}")
    lists = Path(layout.__file__).parent / "requirements"
    wanted = lists / f"engine_{args.engine}.txt"
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
        raise EngineError(f"setup: NOT_INSTALLED: pip could not install {args.engine} ({' '.join(said[-1:])}); {fix}")
    for pin in read_pins(wanted):
        name = pin.partition("==")[0]
        print(f"{name} {importlib.metadata.version(name)}")
    print("lingbot engines says what runs here now")
    return 0
