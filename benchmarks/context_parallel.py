"""Seconds per chunk of a released model that several processes imagine together, one GPU each.

    torchrun --nproc-per-node 8 benchmarks/context_parallel.py lingbot-world-v2-14b --device cuda
    torchrun --nproc-per-node 2 benchmarks/context_parallel.py FOLDER --device cpu --chunks 2

Every process runs this program: the same model, the same camera path, the same seed. The first one prints.
"""

import argparse
import time

import numpy as np

from lingbot_ros.engine.processes import together
from lingbot_ros.world import Session, World


def straight_ahead(session: Session) -> np.ndarray:
    """Camera poses [n, 4, 4] of the next chunk."""
    poses = np.tile(np.eye(4), (session.frames_in_next_chunk, 1, 1))
    poses[:, 2, 3] = (session.frame_index + 1 + np.arange(len(poses))) * 0.02
    return poses


def main() -> None:
    """Load, start, time; every process alike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="name or folder of a camera model")
    parser.add_argument("--device", default="cuda", help="cuda (NCCL) or cpu (gloo); default %(default)s")
    parser.add_argument("--chunks", type=int, default=8, help="chunks to time, after one that is not (%(default)s)")
    args = parser.parse_args()
    with together(args.device) as share:
        world = World.load(args.model, device=args.device)
        image = world.seed_image()
        if image is None:
            image = np.random.default_rng(0).integers(0, 256, (world.info.height, world.info.width, 3), np.uint8)
        session = world.start(image)
        session.step(straight_ahead(session))
        for chunk in range(args.chunks):
            started = time.perf_counter()
            frames = session.step(straight_ahead(session))
            if share.rank == 0:
                spent = time.perf_counter() - started
                print(f"{share.count} processes, chunk {chunk}: {spent:.3f} s, {len(frames) / spent:.2f} frames/s")


if __name__ == "__main__":
    main()
