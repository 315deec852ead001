"""Write a bag as a robot with a camera would: `./lingbot python docs/examples/pusht_bag.py BAG`. Needs no ROS.

A stand-in for your own recording: Push-T takes of 20 seconds with 3 seconds between them, images at 10 Hz on
/camera/image/compressed, and on /action where the pusher is sent after each. Options: `--takes N`, `--seconds S`.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from rosbags.typesys.store import Typestore

from lingbot_ros.recording.writer import BagWriter, Topic, message_types
from lingbot_ros.tasks.pusht.dataset.episode import EpisodeMaker, episode_seed

DEFINITION = Path(__file__).parents[2] / "lingbot_msgs" / "msg" / "RobotAction.msg"
CAMERA = Topic("/camera/image/compressed", "sensor_msgs/msg/CompressedImage")
ACTION = Topic("/action", "lingbot_msgs/msg/RobotAction")
START_NS = 1_700_000_000 * 10**9
PERIOD_NS = 10**8
PAUSE_NS = 3 * 10**9


def main() -> None:
    """Simulate the takes and write every image and action under the stamp of its moment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bag", type=Path, help="folder to make")
    parser.add_argument("--takes", type=int, default=6, help="how many (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each take (default %(default)s)")
    args = parser.parse_args()
    types = message_types({ACTION.kind: DEFINITION.read_text(encoding="utf-8")})
    bag, maker, rng = BagWriter(args.bag, types), EpisodeMaker(), np.random.default_rng(0)
    begin_ns = START_NS
    for take in range(args.takes):
        episode = maker.make(episode_seed("train", 0, take), round(10 * args.seconds))
        for k, picture in enumerate(episode.frames):
            # A camera is never quite on time.
            stamp_ns = begin_ns + k * PERIOD_NS + int(rng.integers(-3_000_000, 3_000_000))
            header = make_header(types, stamp_ns)
            _, png = cv2.imencode(".png", picture[:, :, ::-1])
            message = types.types[CAMERA.kind](header=header, format="png", data=png.ravel())
            bag.write(CAMERA, stamp_ns, bytes(types.serialize_cdr(message, CAMERA.kind)))
            if k < len(episode.actions):
                values = episode.actions[k].astype(np.float64)
                action = types.types[ACTION.kind](header=header, id=0, session_id="", values=values)
                bag.write(ACTION, stamp_ns, bytes(types.serialize_cdr(action, ACTION.kind)))
        begin_ns += len(episode.frames) * PERIOD_NS + PAUSE_NS
    bag.close()
    print(f"{args.bag}: {args.takes} takes of {args.seconds:g} s, {bag.messages} messages, {bag.size / 1e6:.1f} MB")


def make_header(types: Typestore, stamp_ns: int) -> object:
    """A std_msgs/Header."""
    seconds, nanoseconds = divmod(stamp_ns, 10**9)
    time = types.types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
    return types.types["std_msgs/msg/Header"](stamp=time, frame_id="camera")


if __name__ == "__main__":
    main()
