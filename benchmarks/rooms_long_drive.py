"""Minutes of driving through imagined houses: does `rooms-small` stay sharp, and does it stay fast and small?

    ./lingbot python benchmarks/rooms_long_drive.py --houses 2 --minutes 10 --out FOLDER

From the first image of a house on, nothing real is seen. The camera goes ahead in slow curves and turns away where
its way is blocked. Each minute gives a row: milliseconds of the processor for a frame, memory of the process, sharpness
(mean absolute Laplacian, grey levels) and contrast (standard deviation of the brightness) of frames, the share of
frames in which the way was blocked, and metres driven; at the end, how many doors the house has that nobody saw, and
how far apart the places along x and z are. FOLDER gets a picture per house, a line of frames per minute.
`--simulator` drives through the house itself, for comparison. Needs MiniWorld.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Pose, turned
from lingbot_ros.tasks.rooms.dataset.episode import draw_drive
from lingbot_ros.tasks.rooms.report.measure import detail
from lingbot_ros.tasks.rooms.simulator.house import House, draw_house, house_seed
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer, camera_to_world, drive_of
from lingbot_ros.world import World
from lingbot_ros.world.scene_session import SceneSession

FPS = 16
SPEED_M_S, CURVE_RAD_S, TURN_RAD_S = 0.8, 0.3, 1.0
SHOWN_PER_MINUTE = 10
STOP_M = 0.3
"""The simulator's camera stops where a hundredth of what is ahead, from the eye up, is nearer than this."""


class Driver:
    """Goes ahead in slow curves; where it is blocked it turns by 70 to 150 degrees."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._curve, self._turn = 0.0, 0.0

    def next_pose(self, pose: Pose, blocked: bool) -> Pose:
        """From where the camera is, and whether its last move was blocked."""
        if blocked and not self._turn:
            self._turn = float(self._rng.choice((-1, 1)) * self._rng.uniform(1.2, 2.6))
        if self._turn:
            part = float(np.clip(self._turn, -TURN_RAD_S / FPS, TURN_RAD_S / FPS))
            self._turn -= part
            return turned(pose, part)
        self._curve += float(self._rng.normal(0, 0.05)) - 0.02 * self._curve
        ahead = turned(pose, float(np.clip(self._curve, -CURVE_RAD_S, CURVE_RAD_S)) / FPS)
        ahead[:3, 3] += ahead[:3, 2] * SPEED_M_S / FPS
        return ahead


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096 / 1e6


class Imagined:
    """The camera of a session that knows one image."""

    def __init__(self, world: World, image: NDArray[np.uint8]) -> None:
        self.session = world.start(image)

    def move(self, wanted: Pose) -> tuple[NDArray[np.uint8], Pose, bool]:
        """The frame from `wanted`, or from where the camera stopped; that pose; and whether its way was blocked."""
        frame = self.session.step(wanted[None])[0]
        assert self.session.camera_pose is not None and self.session.view is not None
        return frame, np.array(self.session.camera_pose), self.session.view.motion_blocked

    def end(self) -> int:
        """How many doors the house has that nobody saw, also in rooms where the camera never came."""
        assert isinstance(self.session, SceneSession)
        doors = len(self.session.scene.house.doors)
        self.session.close()
        return doors


class Simulated:
    """The camera of the simulator, which stops where something ahead is nearer than STOP_M."""

    def __init__(self, renderer: HouseRenderer, house: House) -> None:
        self._renderer, self._pose = renderer, np.eye(4)
        self._start = camera_to_world(house, draw_drive(house, 1, FPS))[0]

    def move(self, wanted: Pose) -> tuple[NDArray[np.uint8], Pose, bool]:
        """As that of `Imagined`."""
        frame, depth = self._renderer.render(drive_of(self._start @ wanted))
        middle = depth[len(depth) // 4 : len(depth) // 2]
        blocked = not np.allclose(wanted[:3, 3], self._pose[:3, 3]) and bool(np.percentile(middle, 1) < STOP_M)
        if blocked:
            wanted = np.column_stack((wanted[:, :3], self._pose[:, 3]))
            frame, _ = self._renderer.render(drive_of(self._start @ wanted))
        self._pose = wanted
        return frame, wanted, blocked

    def end(self) -> int:
        """No door is painted."""
        return 0


def drive(camera: Imagined | Simulated, minutes: int, seed: int) -> NDArray[np.uint8]:
    """Prints a row per minute; returns frames [minutes, SHOWN_PER_MINUTE, h, w, 3]."""
    driver, shown, ways = Driver(seed), [], [np.zeros(2)]
    pose, blocked = np.eye(4), False
    for minute in range(1, minutes + 1):
        spent, sharp, spread, stopped, metres = [], [], [], 0, 0.0
        for index in range(60 * FPS):
            wanted = driver.next_pose(pose, blocked)
            before = time.process_time()
            frame, reached, blocked = camera.move(wanted)
            spent.append(time.process_time() - before)
            metres += float(np.linalg.norm(reached[:3, 3] - pose[:3, 3]))
            pose, stopped = reached, stopped + blocked
            ways.append(pose[[0, 2], 3])
            if index % 8 == 0:
                sharp.append(detail(frame).mean())
                spread.append(frame.mean(-1).std())
            if index % (60 * FPS // SHOWN_PER_MINUTE) == 0:
                shown.append(frame)
        p50, p95 = np.percentile(spent, (50, 95)) * 1e3
        cells = f"{p50:.1f} | {p95:.1f} | {resident_mb():.0f} | {np.mean(sharp):.1f} | {np.mean(spread):.1f}"
        print(f"| {minute} | {cells} | {stopped / (60 * FPS):.0%} | {metres:.1f} |", flush=True)
    print(f"doors painted: {camera.end()}; covered {' x '.join(f'{m:.1f}' for m in np.ptp(ways, axis=0))} m")
    return np.stack(shown).reshape(minutes, SHOWN_PER_MINUTE, *shown[0].shape)


def main() -> None:
    """Drive through each house, print the table and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--houses", type=int, default=2)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="rooms-small", help="a name, or a folder with a card")
    parser.add_argument("--split", default="test", choices=("validation", "test"), help="whose houses")
    parser.add_argument("--simulator", action="store_true", help="what the simulator itself shows such a driver")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    world, renderer = World.load(args.model, threads=1), HouseRenderer()
    for index in range(args.houses):
        house = draw_house(house_seed(args.split, args.seed, index))
        renderer.enter(house)
        image = renderer.render(draw_drive(house, 1, FPS)[0])[0]
        print(f"house {house.seed}\n| minute | p50 ms | p95 ms | MB | sharpness | contrast | blocked | m |", flush=True)
        frames = drive(
            Simulated(renderer, house) if args.simulator else Imagined(world, image), args.minutes, house.seed
        )
        picture = np.concatenate([np.concatenate(list(line), 1) for line in frames])
        cv2.imwrite(str(args.out / f"house_{house.seed}.png"), picture[..., ::-1])


if __name__ == "__main__":
    main()
