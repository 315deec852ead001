"""How a shape moves that several contacts push at once."""

import numpy as np

from lingbot_ros.model.rigid_layers.settling import jammed, pushed, wedged

ROWS = 200


def contacts(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-np.pi, np.pi, (count, ROWS))
    ways = np.stack((np.cos(angle), np.sin(angle), rng.normal(0, 0.7, angle.shape))).astype(np.float32)
    return ways, rng.uniform(0, 1, (count, ROWS)).astype(np.float32)


def got(ways: np.ndarray, motion: np.ndarray) -> np.ndarray:
    return (ways * motion[:, None]).sum(0)


def test_one_contact_gets_what_it_wants_by_the_smallest_motion() -> None:
    ways, wants = contacts(1, 0)
    motion = pushed(ways[:, 0], wants[0])
    assert np.allclose(got(ways, motion), wants, atol=1e-5)
    assert np.allclose(motion, ways[:, 0] * (motion * ways[:, 0]).sum(0) / (ways[:, 0] ** 2).sum(0), atol=1e-5)


def test_two_contacts_are_solved_alike_in_both_ways() -> None:
    ways, wants = contacts(2, 1)
    facing = (ways[:, 0] * ways[:, 1]).sum(0) > 0  # what does not face one another can always be satisfied
    ways, wants = ways[..., facing], wants[:, facing]
    closed, searched = wedged(ways, wants), jammed(2, ways, wants, np.ones_like(wants, bool))
    assert (got(ways, closed) > wants - 1e-3).all()
    assert np.allclose(closed, searched, atol=1e-2)


def test_of_many_contacts_walls_get_what_they_want_and_motions_stay_small() -> None:
    ways, wants = contacts(5, 2)
    touching = np.random.default_rng(3).uniform(size=wants.shape) < 0.6
    wants = wants * touching * 0.3
    motion = jammed(2, ways, wants, touching)
    missed = (wants - got(ways, motion)) * touching
    satisfied = missed.max(0) < 1e-3
    assert satisfied.mean() > 0.5 and np.isfinite(motion).all()
    assert (np.abs(motion).max(0)[satisfied] < 10).all()
    assert (motion[:, ~touching.any(0)] == 0).all()


def test_where_nothing_touches_nothing_moves() -> None:
    """Rows can lie in a wall by less than what counts as a touch."""
    ways, wants = np.ones((3, 6, 2), np.float32), np.ones((6, 2), np.float32)
    assert jammed(2, ways, wants, np.zeros((6, 2), bool)).tolist() == np.zeros((3, 2)).tolist()
