"""The simulator and an imagination of it, driven by the same actions, as a moving image.

`./lingbot python docs/examples/side_by_side.py OUT.gif` starts a session from the simulator's first frame. A pilot that
sees only the simulator's images acts; both obey. The model never sees the simulator again.
Options: `--model`, `--frames`, `--seed`.
"""

import argparse

import cv2
import numpy as np
from PIL import Image

from lingbot_ros.tasks.pusht.pilot import PushTPilot
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator
from lingbot_ros.world import World

ZOOM = 2
HEADER_PX = 20


def panel(frame: np.ndarray, title: str) -> np.ndarray:
    """A frame uint8 [h, w, 3], enlarged, below its title."""
    large = cv2.resize(frame, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    header = np.full((HEADER_PX, large.shape[1], 3), 255, np.uint8)
    cv2.putText(header, title, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (60, 60, 60), 1, cv2.LINE_AA)
    return np.vstack([header, large])


def main() -> None:
    """Drive both with the same actions and write the moving image."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--model", default="pusht-lasting")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    world, simulator = World.load(args.model), PushTSimulator()
    simulator.reset(args.seed)
    real = simulator.render()
    session, pilot = world.start(real), PushTPilot(np.random.default_rng(args.seed))
    images = []
    for index in range(1, args.frames + 1):
        action = pilot.act(real)
        simulator.step(action)
        real = simulator.render()
        imagined = session.step(action[None])[0]
        seconds = index / world.info.fps
        images.append(np.hstack([panel(real, "simulator"), panel(imagined, f"imagined, {seconds:.1f} s")]))
    first, *others = [Image.fromarray(image).quantize(48, dither=Image.Dither.NONE) for image in images]
    first.save(args.out, save_all=True, append_images=others, duration=round(1000 / world.info.fps), loop=0)
    print(f"wrote {args.out}: {len(images)} frames")


if __name__ == "__main__":
    main()
