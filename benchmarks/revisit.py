"""What a camera model still knows of a place when the camera comes back: PSNR in dB, without and with pose memory.

    ./lingbot python benchmarks/revisit.py --model MODEL --image IMAGE [--away 4 8 16] [--json FILE]

The camera turns away for some chunks and back on the same way. Each frame of the way back is compared with the frame
that the way out showed from the same pose; `start` is the mean over the last chunk, which sees what the session began
with, and `all` that over the whole way back. `recalled` is how many latent frames the memory showed in all.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import LingbotError
from lingbot_ros.evaluate.machine import describe_machine
from lingbot_ros.world import World
from lingbot_ros.world.pose_memory import MemoryOptions

Poses = NDArray[np.float64]


def turned(degrees: float) -> Poses:
    """A camera-to-world pose [4, 4], turned to the right about the vertical axis."""
    pose = np.eye(4)
    pose[:3, :3], _ = cv2.Rodrigues(np.array([0.0, np.radians(degrees), 0.0]))
    return pose


def way_out_and_back(frames: int, degrees_per_frame: float) -> list[float]:
    """The angle at each of `frames` frames: rising for one half, then falling by the same steps to that of frame 0."""
    rising = (frames + 1) // 2
    out = [degrees_per_frame * index for index in range(rising)]
    return [*out, *reversed(out[: frames - rising])]


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Of two images; 100 dB where they are equal."""
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return 100.0 if error == 0 else float(10 * np.log10(255**2 / error))


def revisit(
    world: World, image: NDArray[np.uint8], prompt: str, seed: int, away: int, degrees_per_frame: float
) -> dict[str, float]:
    """Turn away for `away` chunks and back; dB at the start's poses and over the whole way back."""
    session = world.start(image, prompt=prompt, seed=seed)
    total = world.info.first_chunk_frames + (2 * away - 1) * world.info.frames_per_chunk
    angles = way_out_and_back(total, degrees_per_frame)
    shown, recalled = [], 0
    while session.frame_index < total:
        first, count = session.frame_index, session.frames_in_next_chunk
        shown.append(session.step(np.stack([turned(angle) for angle in angles[first : first + count]])))
        recalled += session.recalled_frames
    session.close()
    frames = np.concatenate(shown)
    middle = (total + 1) // 2
    back = [psnr(frames[index], frames[total - 1 - index]) for index in range(middle, total)]
    last = back[-world.info.frames_per_chunk :]
    return {"start_db": round(float(np.mean(last)), 2), "all_db": round(float(np.mean(back)), 2), "recalled": recalled}


def main() -> None:
    """Measure for each time away, with and without memory; print a line each, and write them down if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--image", type=Path, help="any image; the model's own example without")
    parser.add_argument("--prompt", default="")
    parser.add_argument("--away", type=int, nargs="+", default=[4, 8, 16], help="chunks")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--degrees-per-frame", type=float, default=2.0)
    parser.add_argument("--frames", type=int, default=4, help="latent frames that the memory shows at once")
    parser.add_argument("--bank", type=int, default=32, help="latent frames that it remembers")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = []
    try:
        for memory in (None, MemoryOptions(args.frames, args.bank)):
            world = World.load(args.model, device=args.device, precision=args.precision, memory=memory)
            stored = None if args.image is None else cv2.imread(str(args.image))
            image = world.seed_image() if stored is None else np.ascontiguousarray(stored[..., ::-1])
            if image is None:
                raise SystemExit(f"--image: got {args.image}; give an image, {args.model} has no readable example")
            for away in args.away:
                for seed in args.seeds:
                    found = revisit(world, image, args.prompt, seed, away, args.degrees_per_frame)
                    row = {"memory": memory is not None, "chunks_away": away, "seed": seed, **found}
                    rows.append(row)
                    print(json.dumps(row), flush=True)
            engine = str(world.info.engine)
            world.close()
            del world
    except LingbotError as error:
        raise SystemExit(str(error)) from error
    if args.json:
        record = {"schema": 1, "model": args.model, "engine": engine, "machine": describe_machine(), "rows": rows}
        args.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
