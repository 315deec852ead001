"""The ring against a plain list that shifts, for every setting of the released models (model_spec 5.1, 7.1 step 7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.errors import InputError
from lingbot_ros.model.ring import Ring

SETTINGS = [
    *[(4, 18, 6), (3, 18, 9), (3, 18, 6), (3, 18, 3), (3, 21, 3), (3, 63, 0), (4, 16, 4), (3, 9, 0)],
    *[(1, 8, 0), (1, 8, 2)],
    *[(4, 18, 4), (3, 10, 0), (4, 21, 6), (3, 18, 4), (4, 240, 0)],
]


def run_ring(ring: Ring, chunks: int) -> list[list[int | None]]:
    """Slot contents after each chunk, by replaying what the ring says on a list."""
    slots: list[int | None] = [None] * ring.window
    history = []
    for chunk in range(chunks):
        slot = ring.slot(chunk)
        for move in slot.moves:
            slots[move.target : move.target + move.count] = slots[move.source : move.source + move.count]
        slots[slot.write : slot.write + ring.chunk] = range(chunk * ring.chunk, (chunk + 1) * ring.chunk)
        history.append(slots[: slot.length])
    return history


def shifting_policy(ring: Ring, chunks: int) -> list[list[int]]:
    """The reference implementation's policy: drop what lies just after the sink, slide left, append."""
    frames: list[int] = []
    history = []
    for chunk in range(chunks):
        excess = len(frames) + ring.chunk - ring.window
        if excess > 0:
            frames = frames[: ring.sink] + frames[ring.sink + excess :]
        frames += range(chunk * ring.chunk, (chunk + 1) * ring.chunk)
        history.append(list(frames))
    return history


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_survivors_equal_the_shifting_policy(setting: tuple[int, int, int]) -> None:
    ring = Ring(*setting)
    for chunk, (mine, reference) in enumerate(zip(run_ring(ring, 40), shifting_policy(ring, 40), strict=True)):
        assert sorted(mine) == reference, f"chunk {chunk}"  # type: ignore[type-var]
        assert ring.visible(chunk) == reference, f"chunk {chunk}"


@pytest.mark.parametrize(
    ("setting", "chunk", "expected"),
    [
        ((4, 18, 6), 4, [*range(6), *range(8, 20)]),
        ((4, 18, 6), 6, [*range(6), *range(16, 28)]),
        ((3, 18, 9), 5, list(range(18))),
        ((3, 18, 9), 6, [*range(9), *range(12, 21)]),
        ((3, 18, 3), 6, [*range(3), *range(6, 21)]),
    ],
)
def test_survivors_of_the_published_table(setting: tuple[int, int, int], chunk: int, expected: list[int]) -> None:
    assert Ring(*setting).visible(chunk) == expected


@given(chunk=st.integers(1, 5), more=st.integers(0, 25), sink=st.integers(0, 12))
def test_any_valid_setting(chunk: int, more: int, sink: int) -> None:
    ring = Ring(chunk, sink + chunk + more, sink)
    for mine, reference in zip(run_ring(ring, 30), shifting_policy(ring, 30), strict=True):
        assert sorted(mine) == reference  # type: ignore[type-var]


@given(chunk=st.integers(1, 5), more=st.integers(0, 25), sink=st.integers(0, 12))
def test_what_is_lost_is_at_most_a_chunk_and_suffices_to_go_back(chunk: int, more: int, sink: int) -> None:
    """Undone in reverse, a chunk's moves and its lost frames give the cache back; a single-chunk window has no past."""
    ring = Ring(chunk, sink + chunk + more, sink)
    slots: list[int | None] = [None] * ring.window
    for index in range(20):
        slot = ring.slot(index)
        assert sum(count for _, count in slot.lost) <= ring.chunk
        before, filled = list(slots), min(index * ring.chunk, ring.window)
        lost = [slots[start : start + count] for start, count in slot.lost]
        for move in slot.moves:
            slots[move.target : move.target + move.count] = slots[move.source : move.source + move.count]
        slots[slot.write : slot.write + ring.chunk] = range(index * ring.chunk, (index + 1) * ring.chunk)
        undone = list(slots)
        for move in reversed(slot.moves):
            undone[move.source : move.source + move.count] = undone[move.target : move.target + move.count]
        for (start, count), frames in zip(slot.lost, lost, strict=True):
            undone[start : start + count] = frames
        if ring.window > ring.chunk:
            assert undone[:filled] == before[:filled]


@pytest.mark.parametrize(("setting", "field"), [((0, 8, 0), "chunk"), ((2, 8, 7), "sink"), ((2, 8, -2), "sink")])
def test_refused_settings_name_the_field(setting: tuple[int, int, int], field: str) -> None:
    with pytest.raises(InputError) as error:
        Ring(*setting)
    assert error.value.field == field
