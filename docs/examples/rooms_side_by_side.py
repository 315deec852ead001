"""The simulator of houses and an imagination of one, seen by the same camera, as a moving image.

`./lingbot python docs/examples/rooms_side_by_side.py OUT.gif` is the default drive of
`./lingbot imagine --model rooms-small`. The model sees the first image and the poses, never the house.
Needs MiniWorld (`pip install miniworld`). Option: `--every N` frames.
"""

import argparse

import cv2
import numpy as np
from PIL import Image

from lingbot_ros.control.scene_files import read_poses
from lingbot_ros.tasks.rooms.dataset.episode import draw_drive
from lingbot_ros.tasks.rooms.simulator.house import draw_house
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer, camera_to_world, drive_of
from lingbot_ros.world import World

EXAMPLE_HOUSE = 90000099
"""The house of the model's example image, at the first pose of its own drive."""
ZOOM = 1.5
HEADER_PX = 20


def panel(frame: np.ndarray, title: str) -> np.ndarray:
    """A frame uint8 [h, w, 3], enlarged, below its title."""
    large = cv2.resize(frame, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    header = np.full((HEADER_PX, large.shape[1], 3), 255, np.uint8)
    cv2.putText(header, title, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (60, 60, 60), 1, cv2.LINE_AA)
    return np.vstack([header, large])


def main() -> None:
    """Drive both along the same poses and write the moving image."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--every", type=int, default=4)
    args = parser.parse_args()

    world, house, renderer = World.load("rooms-small"), draw_house(EXAMPLE_HOUSE), HouseRenderer()
    renderer.enter(house)
    poses = read_poses(world.card.folder / world.card.demo_poses, "poses")
    start = camera_to_world(house, draw_drive(house, 1, world.info.fps))[0]
    session = world.start(world.seed_image())
    images = []
    for index, pose in enumerate(poses):
        imagined = session.step(pose[None])[0]
        if index % args.every:
            continue
        real, _ = renderer.render(drive_of(start @ pose))
        title = f"imagined, {session.view.seen:.0%} seen before"
        images.append(np.hstack([panel(real, f"simulator, {index / world.info.fps:.1f} s"), panel(imagined, title)]))
    first, *others = [Image.fromarray(image).quantize(32, dither=Image.Dither.NONE) for image in images]
    duration = round(1000 * args.every / world.info.fps)
    first.save(args.out, save_all=True, append_images=others, duration=duration, loop=0)
    print(f"wrote {args.out}: {len(images)} frames")


if __name__ == "__main__":
    main()
