"""Push-T: a round pusher and a T-shaped block on a table, simulated by gym-pusht at 10 Hz and drawn at 96 x 96."""

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, IMAGE_SIZE, PUSHER_RADIUS

if not have("gym_pusht"):
    raise LingbotError(
        "simulator: the package gym-pusht is not installed; install lingbot_ros with its extra `sim`",
        ErrorCode.UNSUPPORTED,
    )

# Both must be set before pygame is imported: no window, no greeting on stdout.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import cv2
import pygame
from gym_pusht.envs.pusht import PushTEnv

CONTROL_HZ = 10
SUBSTEPS = 10

_START_GAP = 5.0
_WALL_MARGIN = 12.0
_NO_SHAPE = 7
"""A collision type that nothing in the scene has."""


@dataclass(frozen=True)
class PushTState:
    """One instant. Arrays are float64, simulator units (x right, y down, 0..512), radians, seconds.

    pusher [2] position; pusher_velocity [2] per second; block [3] = (x, y, angle), see `evaluate.tee`, the angle not
    wrapped; contact = how many of the 10 physics substeps that led here had the pusher touching the block.
    """

    pusher: NDArray[np.float64]
    pusher_velocity: NDArray[np.float64]
    block: NDArray[np.float64]
    contact: int = 0


class PushTSimulator:
    """gym-pusht with its whole state in the open. Not thread-safe; instances are independent.

    An action is the absolute position the pusher is drawn to by a PD law; the pusher lags it by about 0.2 s. The pusher
    is kinematic: nothing stops it, and it passes into the block when it is made to jump. The block has no momentum.
    """

    def __init__(self, counts_contacts: bool = True) -> None:
        """counts_contacts: without it `PushTState.contact` is 0, and pushing takes less time; all else is equal."""
        self._env = PushTEnv(obs_type="state", render_mode="rgb_array")
        self._contact, self._counts_contacts = 0, counts_contacts
        self.reset(0)

    def reset(self, seed: int) -> PushTState:
        """A new scene that depends on `seed` alone: in gym-pusht's ranges, but no bodies overlap."""
        if seed < 0:
            raise InputError("seed", seed, "give a whole number of 0 or more")
        self._env.reset(seed=0)
        self._on_collision()
        rng = np.random.default_rng(seed)
        while True:
            pusher = rng.uniform(50, 450, 2)
            block = np.array([*rng.uniform(100, 400, 2), rng.uniform(-np.pi, np.pi)])
            self.set_state(PushTState(pusher, np.zeros(2), block))
            if self._is_free():
                return self.state

    def step(self, target: ArrayLike) -> PushTState:
        """Advance 0.1 s with the pusher drawn to `target` [2]; positions outside 0..512 are pulled to the edge."""
        target = np.asarray(target, np.float64)
        if target.shape != (2,) or not np.isfinite(target).all():
            raise InputError("target", target, "give two finite numbers: the pusher's target x, y in simulator units")
        self._contact = 0
        self._env.step(np.clip(target, 0.0, ARENA_SIZE))
        return self.state

    def advance(self, target: tuple[float, float]) -> tuple[float, float, float]:
        """`step` for planners, to the last bit the same physics: no reward, no check, no count of contacts.

        Returns the block's x, y, angle.
        """
        env, agent, block = self._env, self._env.agent, self._env.block
        x, y = (min(max(value, 0.0), ARENA_SIZE) for value in target)
        for _ in range(SUBSTEPS):
            at, velocity = agent.position, agent.velocity
            # The same sums in the same order as gym-pusht's PD law, without its arrays.
            agent.velocity = (
                velocity.x + (env.k_p * (x - at.x) + env.k_v * (0 - velocity.x)) * env.dt,
                velocity.y + (env.k_p * (y - at.y) + env.k_v * (0 - velocity.y)) * env.dt,
            )
            env.space.step(env.dt)
        return (*block.position, block.angle)

    @property
    def state(self) -> PushTState:
        agent, block = self._env.agent, self._env.block
        pose = np.array([*block.position, block.angle], np.float64)
        return PushTState(np.array(agent.position), np.array(agent.velocity), pose, self._contact)

    def set_state(self, state: PushTState) -> None:
        """Put the scene into `state`. Only the solver's contact cache, which warm-starts it, is not restored."""
        agent, block = self._env.agent, self._env.block
        agent.position = tuple(state.pusher.tolist())
        agent.velocity = tuple(state.pusher_velocity.tolist())
        # The angle turns the block about its centre of gravity and so moves its origin: it must come first.
        block.angle = float(state.block[2])
        block.position = tuple(state.block[:2].tolist())
        block.velocity, block.angular_velocity = (0.0, 0.0), 0.0
        self._env.space.reindex_shapes_for_body(agent)
        self._env.space.reindex_shapes_for_body(block)
        self._contact = state.contact

    def render(self) -> NDArray[np.uint8]:
        """The scene as gym-pusht's own pixel observation: uint8 [96, 96, 3] RGB, without a mark for the action."""
        screen = self._env._draw()
        width, height = screen.get_size()
        pixels = np.frombuffer(pygame.image.tobytes(screen, "RGB"), np.uint8).reshape(height, width, 3)
        return np.asarray(cv2.resize(pixels, (IMAGE_SIZE, IMAGE_SIZE)), np.uint8)

    def coverage(self) -> float:
        """How much of the goal the block covers, 0..1; gym-pusht calls 0.95 solved."""
        return float(self._env._get_coverage())

    def _on_collision(self) -> None:
        handler = self._env.collision_handeler
        if self._counts_contacts:
            handler.post_solve = self._on_contact
        else:
            # Chipmunk's own function that does nothing, in place of gym-pusht's, which Python runs for every contact.
            unused = self._env.space.add_collision_handler(_NO_SHAPE, _NO_SHAPE)
            handler._handler.postSolveFunc = unused._handler.postSolveFunc

    def _on_contact(self, arbiter: object, space: object, data: object) -> None:
        pusher = next(iter(self._env.agent.shapes))
        self._contact += pusher in arbiter.shapes  # type: ignore[attr-defined]

    def _is_free(self) -> bool:
        shapes = self._env.block.shapes
        x, y = self._env.agent.position
        gap = min(shape.point_query((x, y)).distance for shape in shapes)
        corners = self._env.get_keypoints(self._env._block_shapes)
        inside = (corners > _WALL_MARGIN).all() and (corners < ARENA_SIZE - _WALL_MARGIN).all()
        return bool(inside and gap > PUSHER_RADIUS + _START_GAP)


def reset_frame(seed: int) -> NDArray[np.uint8]:
    """The first image of the scene of `seed`: uint8 [96, 96, 3] RGB."""
    simulator = PushTSimulator()
    simulator.reset(seed)
    return simulator.render()
