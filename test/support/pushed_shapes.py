"""Clips of another look and another robot: a white disc pushes a striped box and a triangle over a patterned floor.

Physics by pymunk: nothing slides on by itself. Actions are places in metres of a robot that looks at the table from its
left side: x grows up the image, y to the left. Nothing here is shared with the code under test.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pymunk
from numpy.typing import NDArray

from lingbot_ros.datasets.plan import PlanOptions, make_plan
from lingbot_ros.datasets.writer import ClipSetWriter

SIZE, FPS, RADIUS, WALL = 64, 10.0, 3.5, 2.0
METRES_PER_PX = 0.01
DISC, BOX, STRIPE, TRIANGLE = (250, 250, 245), (200, 90, 30), (40, 30, 60), (40, 120, 200)
BOX_OUTLINE = [(-7.0, -4.5), (7.0, -4.5), (7.0, 4.5), (-7.0, 4.5)]
STRIPE_OUTLINE = [(1.0, -4.5), (4.0, -4.5), (4.0, 4.5), (1.0, 4.5)]
TRIANGLE_OUTLINE = [(-4.5, 5.0), (6.0, 3.0), (-2.0, -7.0)]
_FINE, _SUBSTEPS = 8, 20
_STIFF, _DAMPED = 120.0, 20.0
"""Of the spring that draws the disc to its target: per second squared, per second."""


def floor() -> NDArray[np.uint8]:
    """A greenish pattern, the same in every clip."""
    rng = np.random.default_rng(7)
    coarse = cv2.resize(rng.normal(0, 1, (9, 9)), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (SIZE, SIZE)), (0, 0), 0.8)
    return np.clip(np.array((110.0, 140.0, 105.0)) + 14 * coarse[..., None] + 16 * grain[..., None], 0, 255).astype(
        np.uint8
    )


def to_action(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels -> metres of the robot."""
    return np.array([SIZE - place[1], SIZE - place[0]]) * METRES_PER_PX


class Table:
    """The simulated table; poses in pixels and radians."""

    def __init__(self, rng: np.random.Generator, shapes: int = 2) -> None:
        self._rng, self._space = rng, pymunk.Space()
        self._space.damping = 0.0
        walls = [(WALL, WALL), (SIZE - 1 - WALL, WALL), (SIZE - 1 - WALL, SIZE - 1 - WALL), (WALL, SIZE - 1 - WALL)]
        for a, b in zip(walls, walls[1:] + walls[:1], strict=True):
            self._space.add(pymunk.Segment(self._space.static_body, a, b, 0.0))
        self.disc = pymunk.Body(body_type=pymunk.Body.KINEMATIC)
        self._space.add(self.disc, pymunk.Circle(self.disc, RADIUS))
        self.shapes = [self._new_shape(outline) for outline in (BOX_OUTLINE, TRIANGLE_OUTLINE)[:shapes]]
        places = rng.permutation([(18, 18), (45, 20), (20, 44), (44, 45)])[: 1 + shapes]
        for body, place in zip((self.disc, *self.shapes), places, strict=True):
            body.position = tuple(place + rng.uniform(-4, 4, 2))
        for body in self.shapes:
            body.angle = rng.uniform(-np.pi, np.pi)
        self._plan: Iterator[NDArray[np.float64]] = iter(())

    def _new_shape(self, outline: list[tuple[float, float]]) -> pymunk.Body:
        body = pymunk.Body(1.0, pymunk.moment_for_poly(1.0, outline))
        body.center_of_gravity = tuple(np.mean(outline, axis=0)) if len(outline) == 3 else (0, 0)
        self._space.add(body, pymunk.Poly(body, outline))
        return body

    def target(self) -> NDArray[np.float64]:
        """Where a player of random pushes draws the disc next, pixels."""
        found = next(self._plan, None)
        if found is None:
            self._plan = self._stroke()
            found = next(self._plan)
        return found

    def _stroke(self) -> Iterator[NDArray[np.float64]]:
        body = self.shapes[self._rng.integers(len(self.shapes))]
        angle, speed = self._rng.uniform(0, 2 * np.pi), self._rng.uniform(1.0, 3.0)
        way = np.array([np.cos(angle), np.sin(angle)])
        middle = np.array(body.position) + self._rng.uniform(-4, 4, 2)
        here, start = np.array(self.disc.position), np.clip(middle - 14 * way, 4, SIZE - 5)
        for part in np.linspace(0, 1, max(2, int(np.hypot(*(start - here)) / 4)))[1:]:
            yield here + part * (start - here)
        for part in np.arange(0, 22, speed):
            yield np.clip(start + part * way, 4, SIZE - 5)

    def step(self, target: NDArray[np.float64]) -> None:
        """One frame."""
        for _ in range(_SUBSTEPS):
            dt = 1 / FPS / _SUBSTEPS
            velocity, position = np.array(self.disc.velocity), np.array(self.disc.position)
            self.disc.velocity = tuple(velocity + dt * (_STIFF * (target - position) - _DAMPED * velocity))
            self._space.step(dt)

    def image(self, ground: NDArray[np.uint8], noise: float = 1.0) -> NDArray[np.uint8]:
        """uint8 [SIZE, SIZE, 3] RGB with the noise of a camera."""
        picture = cv2.resize(ground, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_NEAREST)
        parts = [(0, BOX_OUTLINE, BOX), (0, STRIPE_OUTLINE, STRIPE), (1, TRIANGLE_OUTLINE, TRIANGLE)]
        for number, outline, colour in parts:
            if number < len(self.shapes):
                body = self.shapes[number]
                self._fill(picture, np.array([body.local_to_world(corner) for corner in outline]), colour)
        angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        ring = np.array(self.disc.position) + RADIUS * np.stack([np.cos(angles), np.sin(angles)], -1)
        self._fill(picture, ring, DISC)
        seen = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        return np.clip(np.rint(seen + self._rng.normal(0, noise, seen.shape)), 0, 255).astype(np.uint8)

    @staticmethod
    def _fill(picture: NDArray[np.uint8], points: NDArray[np.float64], colour: tuple[int, int, int]) -> None:
        cv2.fillPoly(picture, [np.rint(((points + 0.5) * _FINE - 0.5) * 16).astype(np.int32)], colour, shift=4)


def write_pushed_shapes(root: Path, episodes: int, steps: int, shapes: int = 2, seed: int = 0) -> Path:
    """A complete set of clips in `root`."""
    options = PlanOptions(size=(SIZE, SIZE), validation=0.1, unit="m")
    writer = ClipSetWriter(root, make_plan({"type": "test"}, FPS, ("x", "y"), [steps] * episodes, options))
    ground = floor()
    for episode in writer.missing():
        table = Table(np.random.default_rng([seed, episode]), shapes)
        frames, actions = [table.image(ground)], []
        for _ in range(steps):
            target = table.target()
            table.step(target)
            frames.append(table.image(ground))
            actions.append(to_action(target))
        writer.write(episode, iter(frames), np.array(actions, np.float32))
    writer.finish()
    return root
