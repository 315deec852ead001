"""Runs the parts: each in a process of its own, so that a crash ends one of them, with a file that grows as it goes."""

import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from lingbot_ros.engine.torch_engine import resolve_device
from lingbot_ros.errors import EngineError, InputError
from lingbot_ros.evaluate.gpu_day import released_models, small_models
from lingbot_ros.evaluate.gpu_day.measurement import Figures, Measurement, Place
from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.evaluate.report_files import write_json

PARTS = ("parity", "small", "1.3b", "14b", "build", "train")

LIMIT_S = 480.0
"""Of a part. A machine is often lent for a quarter of an hour."""

_SPARE_S = 60.0
"""Of the limit, in which no measurement is begun any more."""

_ROOT = Path(__file__).parents[3]


def check_device(device: str) -> None:
    """Raise EngineError (NO_DRIVER) where there is no such device."""
    try:
        resolve_device(device, "auto")
    except EngineError as error:
        raise EngineError(f"{error}; `lingbot bench --gpu --device cpu` tries the programs at tiny sizes") from error


def report_name(part: str, device: str) -> str:
    """The file of a part; one that was made on a CPU says so."""
    return f"gpu_{part}.json" if device.startswith("cuda") else f"cpu_trial_{part}.json"


def run_day(parts: Sequence[str], device: str, folder: Path) -> int:
    """Every part in its own process; returns how many did not come to their end. Raises EngineError without a GPU."""
    check_device(device)
    unfinished = 0
    for part in parts:
        command = [sys.executable, "-m", "lingbot_ros.evaluate.gpu_day.day", part, device, str(folder)]
        try:
            code = subprocess.run(command, timeout=LIMIT_S, check=False).returncode
        except subprocess.TimeoutExpired:
            code = -1
        if code:
            unfinished += 1
            ended = f"took more than {LIMIT_S:g} s" if code == -1 else f"ended with {code}"
            print(f"{part}: {ended}; what it measured is in {folder / report_name(part, device)}")
    return unfinished


def run_part(part: str, place: Place, folder: Path, limit_s: float = LIMIT_S) -> Path:
    """Measure one part here, writing its file after every measurement; returns the file."""
    path, started = folder / report_name(part, place.device), time.monotonic()
    report = {"part": part, "place": place.describe(), "machine": describe_machine(), "versions": describe_versions()}
    found: dict[str, Figures] = {}
    for measurement in measurements(part, place):
        left = limit_s - _SPARE_S - (time.monotonic() - started)
        found[measurement.name] = _measure(measurement) if left > 0 else {"skipped": "no time left"}
        print(f"{part}: {measurement.name}: {_short(found[measurement.name])}", flush=True)
        write_json(path, {**report, "measurements": found})
    return path


def measurements(part: str, place: Place) -> Iterator[Measurement]:
    """What a part measures; raises InputError for one that does not exist."""
    match part:
        case "parity":
            return small_models.parity(place)
        case "small":
            return small_models.speed(place)
        case "1.3b" | "14b":
            return released_models.speed(place, f"lingbot-world-v2-{part}")
        case "build":
            return released_models.build(place, "lingbot-world-v2-1.3b", layers=2)
        case "train":
            return iter([Measurement("training_speed", lambda: _training_speed(place))])
    raise InputError("--gpu", part, f"give {', '.join(PARTS)}, or nothing for all")


def _measure(measurement: Measurement) -> Figures:
    """Its figures, or its error: nothing that one measurement meets keeps the next from being made."""
    started = time.monotonic()
    try:
        figures = measurement.run()
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return {"error": f"{type(error).__name__}: {error}", "where": where}
    return {**figures, "took_s": time.monotonic() - started}


def _training_speed(place: Place) -> Figures:
    program = _ROOT / "benchmarks" / "training_speed.py"
    if not program.is_file():
        raise InputError("--gpu", "train", "run it from a clone of lingbot_ros, which has benchmarks/")
    few = ["--iterations", "1", "--rounds", "1", "--batch-clips", "2"] if place.is_tiny else ["--compile"]
    command = [sys.executable, str(program), "--device", place.device, *few]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8", errors="replace")
    if done.returncode:
        raise InputError("training_speed.py", f"exit {done.returncode}", done.stderr.strip()[-500:])
    return {"printed": done.stdout.splitlines()}


def _short(figures: Figures) -> str:
    for name in ("error", "skipped", "chunk_ms", "frames_per_s", "levels", "p50_ms"):
        if name in figures:
            value = figures[name]
            return f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
    return "done"


if __name__ == "__main__":
    run_part(sys.argv[1], Place(sys.argv[2]), Path(sys.argv[3]))
