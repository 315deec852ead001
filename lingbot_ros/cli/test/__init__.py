"""`lingbot test`: linters, type checks, then all tests, fast ones first."""

import argparse
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from lingbot_ros.environment.interpreter import isolated_module
from lingbot_ros.errors import LingbotError

HELP = "run the linters and the tests"

_ROOT = Path(__file__).resolve().parents[3]
_TEST_DOMAINS = range(1, 60)
"""Random per run, so that two runs on one machine do not interfere."""
_TESTS_FAILED = 1
"""pytest's exit code; others mean that it did not run to its end."""
_MOST_RETRIED = 5
"""More failures than this are a fault of the code, not of the moment."""
_MOST_WORKERS = 4
"""The tests of nodes have four blocks of ROS domains (test/support/domains.py), and each worker takes one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the selection of checks and tests."""
    parser.description = (
        "Runs ruff, mypy and pytest: first the tests without ROS, then the tests of the nodes over DDS, then those of "
        "the shipped model against the simulator."
    )
    parser.add_argument("--slow", action="store_true", help="also run the tests that take minutes or download packages")
    parser.add_argument("--no-lint", action="store_true", help="skip ruff and mypy")
    parser.add_argument("paths", nargs="*", type=Path, help="test files or folders (default: all)")
    parser.add_argument("-k", metavar="EXPRESSION", help="run only tests whose names match, as in pytest")
    parser.add_argument(
        "--retry",
        action="store_true",
        help=f"run failures once more, alone, if there are at most {_MOST_RETRIED}; name those that pass then",
    )
    parser.add_argument("-x", action="store_true", help="stop at the first failure")


def run(args: argparse.Namespace) -> int:
    """Returns the exit code of the first linter that fails, else that of pytest."""
    if not (_ROOT / "test").is_dir():
        raise LingbotError("an installed package has no tests: run ./lingbot test in the source tree")
    if not args.no_lint:
        for tool in (["ruff", "check", "."], ["mypy"]):
            print(f"== {' '.join(tool)}", flush=True)
            code = subprocess.run([sys.executable, *isolated_module(*tool)], check=False, cwd=_ROOT).returncode
            if code != 0:
                return code
    print("== pytest", flush=True)
    paths = [path.resolve() for path in args.paths]
    code = subprocess.run(_pytest(args, paths), check=False, cwd=_ROOT, env=isolated(os.environ)).returncode
    failed = _failed() if code == _TESTS_FAILED and args.retry else []
    return _retry(failed) if 0 < len(failed) <= _MOST_RETRIED else code


def _failed() -> list[str]:
    """What pytest noted down as failed."""
    noted = _ROOT / ".pytest_cache/v/cache/lastfailed"
    return sorted(json.loads(noted.read_text(encoding="utf-8"))) if noted.is_file() else []


def _retry(failed: list[str]) -> int:
    """Run the tests once more, one after the other; returns pytest's exit code.

    Among thousands of tests of real processes one may meet a moment of a busy machine that nobody has foreseen. A fault
    of the code fails again.
    """
    print("== pytest, once more, alone: " + ", ".join(failed), flush=True)
    command = [sys.executable, "-m", "pytest", "--last-failed", "-m", "slow or not slow"]
    code = subprocess.run(command, check=False, cwd=_ROOT, env=isolated(os.environ)).returncode
    if code == 0:
        print("FLAKY, failed once and passed alone: " + ", ".join(failed), flush=True)
    return code


def isolated(variables: "os._Environ[str] | dict[str, str]") -> dict[str, str]:
    """Environment variables that isolate the ROS communication of a test run.

    PyTorch computes on one thread unless told otherwise: the tests run on all cores already, and two threads that wait
    for each other on a busy core take many times as long.
    """
    return {
        "OMP_NUM_THREADS": "1",
        **{name: value for name, value in variables.items() if name != "FASTDDS_DEFAULT_PROFILES_FILE"},
        "ROS_DOMAIN_ID": str(random.choice(_TEST_DOMAINS)),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "SDL_VIDEODRIVER": "dummy",
        "MPLBACKEND": "agg",
    }


def _pytest(args: argparse.Namespace, paths: list[Path]) -> list[str | Path]:
    # test/conftest.py orders the stages within one pytest run, so that one summary line counts all tests.
    command: list[str | Path] = [sys.executable, "-m", "pytest", "--durations=10", *paths]
    if args.retry:
        command += ["--cache-clear"]  # what an earlier run noted down is not this one's
    if not paths:
        # A file stays on one worker: its tests share a running node or a trained model.
        command += ["-n", str(min(_MOST_WORKERS, os.cpu_count() or 1)), "--dist", "loadfile"]
    if args.slow:
        command += ["-m", "slow or not slow"]
    if args.k:
        command += ["-k", args.k]
    if args.x:
        command += ["-x"]
    return command
