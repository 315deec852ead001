"""Read a bag that the node recorded, without ROS: `./lingbot python docs/examples/read_bag.py BAG`."""

import sys
from pathlib import Path

from lingbot_ros.recording.reader import BagReader


def main(folder: str) -> None:
    """Print one line per frame: which session and frame it is, what drove it, and how bright it is."""
    with BagReader(Path(folder)) as bag:
        for frame in bag.frames():
            driven_by = ", ".join(f"{value:.1f}" for value in frame.control) or "its first image"
            print(f"{frame.session_id} frame {frame.frame_index}: {driven_by}; brightness {frame.image.mean():.1f}")


if __name__ == "__main__":
    main(sys.argv[1])
