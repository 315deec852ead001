"""`lingbot test`: linters, types, then every test in an order that fails early."""

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

from lingbot_ros.errors import LingbotError

HELP = "run the linters and the tests"

_ROOT = Path(__file__).resolve().parents[3]
_TEST_DOMAINS = range(1, 60)
"""Random per run, so that two runs on one machine do not see each other."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to leave out and what to hand on."""
    parser.description = (
        "Runs ruff, mypy and pytest: first the tests without ROS, then the nodes over DDS between processes, then the "
        "shipped model against the simulator."
    )
    parser.add_argument("--slow", action="store_true", help="also the tests that take minutes or download packages")
    parser.add_argument("--no-lint", action="store_true", help="leave out ruff and mypy")
    parser.add_argument("paths", nargs="*", type=Path, help="test files or folders (default: all)")
    parser.add_argument("-k", metavar="EXPRESSION", help="only the tests whose names match, as in pytest")
    parser.add_argument("-x", action="store_true", help="stop at the first failure")


def run(args: argparse.Namespace) -> int:
    """Returns the exit code of the first linter that complains, else pytest's."""
    if not (_ROOT / "test").is_dir():
        raise LingbotError("the tests are not part of an installed package: run ./lingbot test in the source tree")
    if not args.no_lint:
        for tool in (["ruff", "check", "."], ["mypy"]):
            print(f"== {' '.join(tool)}", flush=True)
            code = subprocess.run([sys.executable, "-P", "-m", *tool], check=False, cwd=_ROOT).returncode
            if code != 0:
                return code
    print("== pytest", flush=True)
    paths = [path.resolve() for path in args.paths]
    return subprocess.run(_pytest(args, paths), check=False, cwd=_ROOT, env=isolated(os.environ)).returncode


def isolated(variables: "os._Environ[str] | dict[str, str]") -> dict[str, str]:
    """The variables of a test run: ROS of this machine and this run only."""
    return {
        **variables,
        "ROS_DOMAIN_ID": str(random.choice(_TEST_DOMAINS)),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "SDL_VIDEODRIVER": "dummy",
        "MPLBACKEND": "agg",
    }


def _pytest(args: argparse.Namespace, paths: list[Path]) -> list[str | Path]:
    # The order of the stages is made in test/conftest.py, so that one closing line counts them all.
    command: list[str | Path] = [sys.executable, "-m", "pytest", "--durations=10", *paths]
    if args.slow:
        command += ["-m", "slow or not slow"]
    if args.k:
        command += ["-k", args.k]
    if args.x:
        command += ["-x"]
    return command
