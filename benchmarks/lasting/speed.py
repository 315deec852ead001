"""How fast a world of rigid layers is, in processor time on one thread: `pusht-lasting`, its block pushed about.

    ./lingbot python benchmarks/lasting/speed.py [--repeats 30] [--json FILE]

Paths of the pusher go from where it is through random places about the block. roll_poses and roll_copies: steps a
second in batches of 300 over 25 frames. step: 200 of a session with its image. batch_row: a row of 64.
frames_per_s: all these frames over all their time. Real images: `observe` and `start`. compiled: seconds until the laws
are ready, in a new process with what is kept and with nothing kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.tasks.pusht.planning.pose_cost import read_poses
from lingbot_ros.world import Batch, World
from lingbot_ros.world.rollout import roll_copies, roll_poses

Floats = NDArray[np.float64]

_ROWS, _FRAMES, _BATCH = 300, 25, 64
_STEPS = 200
"""Of one session: a few would all fit between two interruptions by other programs, which a batch's do not."""

_KNOT_EVERY = 5
_SPREAD = 70.0
"""Of the knots about the block, simulator units."""
_COMPILE = """
import time, numpy, torch
from lingbot_ros.model.rigid_layers.contact import ContactLaw
began_s = time.process_time()
ContactLaw().prepare()
import lingbot_ros.model.rigid_layers.drawing, lingbot_ros.model.rigid_layers.nearest_edge
print(time.process_time() - began_s)
"""


def paths(world: World, rows: int, frames: int, seed: int) -> Floats:
    """Actions [rows, frames, 2] that push the block of the seed image about."""
    seen, rng = read_poses(world.seed_image(), "seed"), np.random.default_rng(seed)
    inner = seen.block[:2] + rng.normal(0, _SPREAD, (rows, -(-frames // _KNOT_EVERY), 2))
    knots = np.concatenate([np.broadcast_to(seen.pusher, (rows, 1, 2)), inner], axis=1)
    at = np.arange(1, frames + 1) / _KNOT_EVERY
    before = np.minimum(at.astype(int), knots.shape[1] - 2)
    share = (at - before)[:, None]
    return np.clip((1 - share) * knots[:, before] + share * knots[:, before + 1], 0, 512)


def cpu_s(do: Callable[[], object]) -> float:
    """Processor time of one call."""
    began_s = time.process_time()
    do()
    return time.process_time() - began_s


def percentiles(times_s: list[float], per: int = 1) -> dict[str, float]:
    """Milliseconds, each for one of `per`."""
    return {f"p{q}_ms": round(float(np.percentile(times_s, q)) * 1e3 / per, 3) for q in (50, 95)}


def compile_s(kept: bool) -> float:
    """Processor time until the laws are ready in a new process."""
    with tempfile.TemporaryDirectory() as empty:
        environment = dict(os.environ) if kept else {**os.environ, "NUMBA_CACHE_DIR": empty}
        done = subprocess.run(
            [sys.executable, "-c", _COMPILE], env=environment, capture_output=True, check=True, encoding="utf-8"
        )
    return round(float(done.stdout), 2)


def measure(world: World, repeats: int) -> dict[str, object]:
    """All the figures."""
    image = world.seed_image()
    session, actions = world.start(image), paths(world, _ROWS, _FRAMES, 0)
    report: dict[str, object] = {}
    for roll in (roll_poses, roll_copies):
        roll(session.rollout_state, actions)
        times_s = [cpu_s(lambda roll=roll: roll(session.rollout_state, actions)) for _ in range(repeats)]
        report[f"{roll.__name__}_steps_per_s"] = round(_ROWS * _FRAMES / float(np.median(times_s)))
    way = paths(world, 1, _STEPS, 1)[0]
    step_times_s = [cpu_s(lambda action=action: session.step(action[None])) for action in way]
    report["step"] = percentiles(step_times_s)
    batch, ways = Batch(world, _BATCH), paths(world, _BATCH, repeats, 2)
    for row in range(_BATCH):
        batch.start(row, image, seed=row)
    times_s = [cpu_s(lambda k=k: batch.step(ways[:, k, None])) for k in range(repeats)]
    report["batch_row"] = percentiles(times_s, _BATCH)
    report["frames_per_s"] = {
        "session": round(_STEPS / sum(step_times_s)),
        f"batch of {_BATCH}": round(repeats * _BATCH / sum(times_s)),
    }
    shown, seeing = world.start(image), world.start(image)
    frames = [shown.step(action[None]) for action in way[:repeats]]
    pairs = zip(frames, way[:repeats], strict=True)
    report["observe"] = percentiles([cpu_s(lambda f=f, a=a: seeing.observe(f, a[None])) for f, a in pairs])
    report["start"] = percentiles([cpu_s(lambda: world.start(image)) for _ in range(5)])
    report["compiled_s"] = {"kept": compile_s(kept=True), "nothing kept": compile_s(kept=False)}
    return report


def main() -> None:
    """Measure, print, and write it down if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=30, help="of each measurement (default: %(default)s)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    report = measure(World.load("pusht-lasting", threads=1), args.repeats)
    report |= {"machine": describe_machine(), "versions": describe_versions()}
    print(json.dumps(report, indent=1))
    if args.json is not None:
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
