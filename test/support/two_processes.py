"""One of the processes of `torchrun`: a camera model imagined together must be what it is alone, in every number.

Prints the largest difference of predictions and of caches.
"""

import sys

import numpy as np

from lingbot_ros.engine.processes import together
from lingbot_ros.errors import LingbotError
from lingbot_ros.world import Session, World

CHUNKS = 4
"""Enough for the window to lose a chunk."""


def path(session: Session) -> np.ndarray:
    """Camera poses of the next chunk, going forward and to the side."""
    count = session.frames_in_next_chunk
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, 3] = (session.frame_index + 1 + np.arange(count))[:, None] * (0.01, 0.0, 0.03)
    return poses


def main(model: str) -> None:
    alone = World.load(model, engine="torch", device="cpu", threads=1)
    image = np.random.default_rng(3).integers(0, 256, (alone.info.height, alone.info.width, 3), np.uint8)
    reference = alone.start(image, prompt="snow", seed=1)
    with together("cpu") as share:
        try:
            World.load(model, engine="onnxruntime", device="cpu", threads=1)
        except LingbotError as error:
            print(f"refused: {error}")
        session = World.load(model, device="cpu", threads=1).start(image, prompt="snow", seed=1)
        errors = []
        for _ in range(CHUNKS):
            controls = path(session)
            reference.step(controls)
            session.step(controls)
            (mine,), (whole,) = session._branches, reference._branches
            errors.append((mine.tensors["prediction"] - whole.tensors["prediction"]).abs().max())
            own = whole.cache.block.unflatten(2, (share.count, -1))[:, :, share.rank]
            errors.append((mine.cache.block - own).abs().max())
            assert mine.cache.block.shape == own.shape
        print(f"process {share.rank} of {share.count}: {float(max(errors)):.3e}")


if __name__ == "__main__":
    main(sys.argv[1])
