"""A ball falls, bounces off the walls of a box and is pushed about."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIZE_PX = 32
RADIUS_PX = 4.0
FPS = 10.0
GRAVITY = 0.25  # pixels per frame, per frame; y points down
PUSH = 0.6  # of a full action, the same unit
RESTITUTION = 0.9
FASTEST = 3.0  # pixels per frame

Vector = NDArray[np.float64]


class BallSimulator:
    """State: `place` and `velocity` [2] = x, y in pixels and pixels per frame. `seed` decides where it starts."""

    def __init__(self, seed: int | tuple[int, ...]) -> None:
        rng = np.random.default_rng(seed)
        self.place = rng.uniform(RADIUS_PX + 1, SIZE_PX - RADIUS_PX - 1, 2)
        self.velocity = rng.uniform(-FASTEST / 2, FASTEST / 2, 2)

    def step(self, action: Vector) -> None:
        """Advance one frame under a push [2] in -1..1."""
        self.velocity += PUSH * np.clip(action, -1.0, 1.0) + (0.0, GRAVITY)
        self.velocity = np.clip(self.velocity, -FASTEST, FASTEST)
        self.place = self.place + self.velocity
        low, high = RADIUS_PX, SIZE_PX - RADIUS_PX
        beyond = (self.place < low) | (self.place > high)
        self.velocity[beyond] *= -RESTITUTION
        self.place = np.clip(self.place, low, high)

    def render(self) -> NDArray[np.uint8]:
        """The scene, uint8 [32, 32, 3] RGB: a dark ball on white with a soft edge of one pixel."""
        rows, columns = np.indices((SIZE_PX, SIZE_PX)) + 0.5
        distance = np.hypot(columns - self.place[0], rows - self.place[1])
        share = np.clip(RADIUS_PX + 0.5 - distance, 0.0, 1.0)[..., None]
        return np.asarray(255 - share * (255 - np.array([40, 60, 160])), np.uint8)


def find_ball(image: NDArray[np.uint8]) -> Vector:
    """The ball's centre [2] = x, y in pixels, read off an image, real or imagined; NaN where there is none."""
    share = np.clip((255.0 - image[..., 0]) / 215.0 - 0.1, 0.0, None)
    if share.sum() < RADIUS_PX:
        return np.full(2, np.nan)
    rows, columns = np.indices(share.shape) + 0.5
    return np.array([(share * columns).sum(), (share * rows).sum()]) / share.sum()


def make_actions(seed: int | tuple[int, ...], steps: int) -> NDArray[np.float32]:
    """Pushes [steps, 2] that last for a few frames each."""
    rng = np.random.default_rng(seed)
    pushes = rng.uniform(-1, 1, (steps, 2)) * rng.integers(0, 2, (steps, 1))
    return np.repeat(pushes, rng.integers(2, 8, steps), axis=0)[:steps].astype(np.float32)


def play(seed: int | tuple[int, ...], actions: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
    """The frames of an episode: one before the first action and one after each."""
    ball = BallSimulator(seed)
    yield ball.render()
    for action in actions:
        ball.step(action.astype(np.float64))
        yield ball.render()
