"""Clips arrive in one order, however many threads make them and whenever these are stopped."""

import threading

import numpy as np
import pytest

from lingbot_ros.training.clip_stream import ClipStream


def draw(rng: np.random.Generator) -> int:
    return int(rng.integers(10**9))


@pytest.mark.parametrize("loaders", [0, 1, 4])
def test_the_order_depends_on_the_seed_alone(loaders: int) -> None:
    inline = ClipStream(draw, seed=3)
    expected = [inline.take() for _ in range(40)]
    stream = ClipStream(draw, seed=3, loaders=loaders, ahead=7)
    assert [stream.take() for _ in range(25)] == expected[:25]
    stream.close()
    assert [stream.take() for _ in range(15)] == expected[25:]
    stream.close()
    assert len(set(expected)) == 40 and ClipStream(draw, seed=4).take() != expected[0]


def test_items_are_made_ahead_in_other_threads_that_close_ends() -> None:
    makers, several = set(), threading.Event()

    def make(rng: np.random.Generator) -> int:
        makers.add(threading.current_thread())
        if len(makers) > 1:
            several.set()
        assert several.wait(30)
        return draw(rng)

    stream = ClipStream(make, seed=0, loaders=2, ahead=4)
    stream.take()
    stream.close()
    assert threading.main_thread() not in makers and not any(thread.is_alive() for thread in makers)


@pytest.mark.parametrize("loaders", [0, 2])
def test_what_goes_wrong_in_a_thread_is_raised_where_the_item_is_taken(loaders: int) -> None:
    def make(rng: np.random.Generator) -> int:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        ClipStream(make, seed=0, loaders=loaders).take()
