"""How a shape moves that several contacts push at once."""

import numpy as np
from scipy.optimize import nnls

from lingbot_ros.model.rigid_layers.pushing import jammed, wedged

TRIES = 200
WALL, DISC = 1e3, 30.0


def contacts(count: int, seed: int) -> np.ndarray:
    """[TRIES, count, 5]: two of the disc, the rest of walls."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-np.pi, np.pi, (TRIES, count))
    prices = np.where(np.arange(count) < 2, DISC, WALL) + 0 * angle
    ways = np.cos(angle), np.sin(angle), rng.normal(0, 0.7, angle.shape)
    return np.stack((*ways, rng.uniform(0, 1, angle.shape), prices), -1)


def missed(contact: np.ndarray, motion: tuple[float, float, float]) -> np.ndarray:
    return contact[:, 3] - contact[:, :3] @ np.array(motion)


def test_one_contact_gets_what_it_wants_by_the_smallest_motion() -> None:
    for contact in contacts(1, 0):
        motion = np.array(jammed(contact, 1))
        assert abs(missed(contact, motion)).max() < 1e-9
        assert np.allclose(motion, contact[0, :3] * (np.linalg.norm(motion) / np.linalg.norm(contact[0, :3])))


def test_two_contacts_are_solved_alike_in_both_ways() -> None:
    for contact in contacts(2, 1):
        if contact[0, :3] @ contact[1, :3] > 0:  # what does not face one another can always be satisfied
            closed, searched = wedged(contact), jammed(contact, 2)
            assert missed(contact, closed).max() < 1e-3
            assert np.allclose(closed, searched, atol=1e-2)


def smallest(contact: np.ndarray) -> np.ndarray | None:
    """The smallest motion that gives all contacts what they want, by another way (Lawson and Hanson 1974, ch. 23)."""
    system = contact[:, :4].T
    goal = np.array((0.0, 0.0, 0.0, 1.0))
    residual = system @ nnls(system, goal)[0] - goal
    return None if np.linalg.norm(residual) < 1e-2 else -residual[:3] / residual[3]


def test_many_contacts_get_what_they_want_by_the_smallest_motion() -> None:
    rng, satisfied = np.random.default_rng(3), 0
    for contact in contacts(5, 2):
        touching = contact[rng.uniform(size=5) < 0.6]
        touching[:, 3] *= 0.3
        motion = np.array(jammed(touching, len(touching)))
        best = smallest(touching) if len(touching) else np.zeros(3)
        if best is not None and np.linalg.norm(best) < 2:  # a long way is not worth a pixel of the disc's
            satisfied += 1
            assert missed(touching, motion).max(initial=0.0) < 1e-3
            assert np.allclose(motion, best, atol=1e-2)
    assert satisfied > TRIES / 2


def test_a_wall_is_obeyed_before_the_disc() -> None:
    disc, wall = (1.0, 0.0, 0.0, 0.2, DISC), (-1.0, 0.0, 0.0, 0.1, WALL)
    assert np.allclose(jammed(np.array((disc, wall)), 2), (-0.1, 0.0, 0.0), atol=1e-3)


def test_where_nothing_touches_nothing_moves() -> None:
    """A shape can lie in a wall by less than what counts as a touch."""
    assert jammed(np.ones((6, 5)), 0) == (0.0, 0.0, 0.0)
