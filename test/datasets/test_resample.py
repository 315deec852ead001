"""Stamps become frames at a constant rate with the action in force, checked against a slow and plain account of it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingbot_ros.datasets.bag.resample import Segment, Stamps, Take, Timing, trim
from lingbot_ros.datasets.bag.resample import resample as resample_take

MS = 1_000_000


def stamps(*milliseconds: float) -> Stamps:
    return np.array([round(value * MS) for value in milliseconds], np.int64)


def resample(images: Stamps, actions: Stamps, timing: Timing) -> list[Segment]:
    take = Take(images, actions, np.zeros(len(images), np.int64), np.ones(len(actions), bool), stamps())
    return resample_take(take, timing)


def pairs(segments: list[Segment]) -> list[list[tuple[int, int]]]:
    return [list(zip(s.images[:-1].tolist(), s.actions.tolist(), strict=True)) for s in segments]


def test_images_and_actions_of_one_loop_pair_up() -> None:
    ticks = stamps(0, 101, 199, 300)
    (segment,) = resample(ticks, ticks, Timing(rate=10, image_gap=0.15))
    assert segment.images.tolist() == [0, 1, 2, 3] and segment.actions.tolist() == [0, 1, 2]


def test_a_fast_camera_is_thinned_and_a_slow_action_holds() -> None:
    images = stamps(*range(0, 601, 20))
    (segment,) = resample(images, stamps(-5, 250), Timing(rate=10, image_gap=0.15))
    assert segment.images.tolist() == [0, 5, 10, 15, 20, 25, 30]
    assert segment.actions.tolist() == [0, 0, 0, 1, 1, 1]


def test_an_action_that_comes_after_its_image_is_found_by_the_offset() -> None:
    images, actions = stamps(0, 100, 200), stamps(30, 130, 230)
    assert pairs(resample(images, actions, Timing(10, 0.15))) == [[(1, 0)]]
    assert pairs(resample(images, actions, Timing(10, 0.15, action_offset=0.05))) == [[(0, 0), (1, 1)]]


def test_gaps_in_images_and_in_actions_end_episodes() -> None:
    images = stamps(*range(0, 501, 100), *range(2000, 2501, 100))
    actions = stamps(0, 100, 2000, 2100, 2200, 2300, 2400)
    segments = resample(images, actions, Timing(10, 0.15, action_gap=0.25))
    assert pairs(segments) == [
        [(0, 0), (1, 1), (2, 1), (3, 1)],
        [(6, 2), (7, 3), (8, 4), (9, 5), (10, 6)],
    ]


def test_nothing_in_common_is_nothing() -> None:
    timing = Timing(10, 0.15)
    assert resample(stamps(0, 100), stamps(5000), timing) == []
    assert resample(stamps(), stamps(0), timing) == [] == resample(stamps(0, 100), stamps(), timing)


def test_long_ones_are_cut_and_short_ones_left_out() -> None:
    images = np.arange(31) * 100 * MS
    segments = resample(images, images, Timing(10, 0.15))
    kept, dropped = trim(segments, longest=8, shortest=7)
    assert [part.steps for part in kept] == [7, 8, 7, 8] and dropped == 0
    assert kept[1].images[0] == kept[0].images[-1]
    assert trim(segments, 100, 31) == ([], 1)


times = st.lists(st.integers(0, 4_000), min_size=0, max_size=60, unique=True).map(lambda ms: stamps(*sorted(ms)))


@settings(max_examples=150, deadline=None)
@given(
    images=times,
    actions=times,
    rate=st.sampled_from([2.0, 5.0, 7.5, 10.0]),
    image_gap=st.sampled_from([0.1, 0.3, 0.75]),
    action_gap=st.sampled_from([0.05, 0.4, 10.0]),
    offset=st.sampled_from([-0.1, 0.0, 0.05]),
)
def test_it_is_what_a_plain_account_says(
    images: Stamps, actions: Stamps, rate: float, image_gap: float, action_gap: float, offset: float
) -> None:
    found = resample(images, actions, Timing(rate, image_gap, action_gap, offset))
    expected = plain_account(images.tolist(), actions.tolist(), rate, image_gap, action_gap, offset)
    assert [(s.images.tolist(), s.actions.tolist()) for s in found] == expected


def plain_account(
    images: list[int], actions: list[int], rate: float, image_gap: float, action_gap: float, offset: float
) -> list[tuple[list[int], list[int]]]:
    stretches: list[list[int]] = []
    for number, stamp in enumerate(images):
        if not stretches or stamp - images[number - 1] > round(image_gap * 1e9):
            stretches.append([])
        stretches[-1].append(number)
    episodes = []
    for stretch in stretches:
        frames, k = [], 0
        while True:
            moment = images[stretch[0]] + round(k * 1e9 / rate)
            # A last frame may lie half a period beyond the last image.
            if k and int((images[stretch[-1]] - images[stretch[0]]) / (1e9 / rate) + 0.5) < k:
                break
            frames.append(min(stretch, key=lambda number: (abs(images[number] - moment), number)))
            k += 1
        episode: tuple[list[int], list[int]] = ([], [])
        for frame in frames[:-1]:
            wanted = images[frame] + round(offset * 1e9)
            before = [number for number, stamp in enumerate(actions) if stamp <= wanted]
            episode[0].append(frame)
            if before and wanted - actions[before[-1]] <= round(action_gap * 1e9):
                episode[1].append(before[-1])
            else:
                episodes.append(episode)
                episode = ([], [])
        episode[0].append(frames[-1])
        episodes.append(episode)
    return [(frames, driven) for frames, driven in episodes if driven]
