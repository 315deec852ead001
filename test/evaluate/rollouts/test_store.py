"""Rollouts on disk."""

import json
from math import isnan, nan
from pathlib import Path

import pytest

from lingbot_ros.errors import InputError, ResourceError
from lingbot_ros.evaluate.rollouts import Ending, Rollout, RolloutStore

ONE = Rollout("expert", "a", "imagined", 7, Ending.HORIZON, (0.1, nan, 1 / 3), ((1.0, 2.0), (0.1 + 0.2, 4.0)), 1)
TWO = Rollout("expert", "b", "imagined", 8, Ending.INVALID, (), (), failure="policy_crashed", reason="a\nb")
HEADER = {"seed": 3, "policies": ("expert",)}


def test_what_is_written_is_read_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rollouts.jsonl"
    with RolloutStore(path, HEADER) as store:
        store.add(ONE)
        store.add(TWO)
    with RolloutStore(path, HEADER) as again:
        found = again.done["expert", "a"]
        assert repr(found) == repr(ONE)
        assert isnan(found.scores[1])
        assert again.done["expert", "b"] == TWO
    assert all(json.loads(line)["schema"] for line in path.read_text().splitlines())


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_line_that_a_kill_cut_short_is_played_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "rollouts.jsonl"
    with RolloutStore(path, HEADER) as store:
        store.add(ONE)
        store.add(TWO)
    path.write_bytes(path.read_bytes()[:-cut])
    with RolloutStore(path, HEADER) as store:
        assert list(store.done) == [ONE.key]
        store.add(TWO)
    with RolloutStore(path, HEADER) as store:
        assert list(store.done) == [ONE.key, TWO.key]


def test_a_store_of_another_evaluation_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "rollouts.jsonl"
    RolloutStore(path, HEADER).close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="in which seed is 3 and not 4; it belongs to another evaluation"):
        RolloutStore(path, HEADER | {"seed": 4})
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": {"name": "small", "threads": 2}}, "in which threads is 1 and not 2;"),
        ({"model": {"name": "x" * 300, "threads": 1}}, r"in which name is 'small' and not 'x+\.\.\.x+';"),
        ({"model": {"name": "small"}}, "in which model has threads besides;"),
        ({"model": "small"}, "in which model is {.*} and not 'small';"),
    ],
)
def test_what_differs_is_named_in_a_few_words(tmp_path: Path, settings: dict, said: str) -> None:
    path = tmp_path / "rollouts.jsonl"
    RolloutStore(path, {"settings": {"model": {"name": "small", "threads": 1}}}).close()
    with pytest.raises(InputError, match=said):
        RolloutStore(path, {"settings": settings})


def test_one_writer_at_a_time_and_no_rollout_twice(tmp_path: Path) -> None:
    path = tmp_path / "rollouts.jsonl"
    with RolloutStore(path, HEADER) as store:
        store.add(ONE)
        with pytest.raises(InputError, match="stored already"):
            store.add(ONE)
        with pytest.raises(InputError, match="another evaluation writes it"):
            RolloutStore(path, HEADER)
    RolloutStore(path, HEADER).close()


def test_damage_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rollouts.jsonl"
    with RolloutStore(path, HEADER) as store:
        store.add(ONE)
    path.write_bytes(path.read_bytes() + b"{nonsense\n")
    with pytest.raises(InputError, match="line 3"):
        RolloutStore(path, HEADER)
    path.write_bytes(path.read_bytes().replace(b"lingbot.rollout/1", b"lingbot.rollout/9").replace(b"{nonsense\n", b""))
    with pytest.raises(InputError, match="this program reads lingbot.rollout/1"):
        RolloutStore(path, HEADER)


def test_a_folder_that_cannot_be_written_is_an_error_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="use another folder"):
        RolloutStore(tmp_path / "file" / "rollouts.jsonl", HEADER)


def test_verdicts_serve_every_threshold_and_horizon() -> None:
    assert ONE.success(0.3) is True
    assert ONE.success(0.3, horizon=2) is False
    assert ONE.best(1) == 0.1
    assert TWO.best() is None and TWO.success(0.0) is None
    unseen = Rollout("p", "s", "imagined", 0, Ending.HORIZON, (nan,), ((0.0,),))
    assert unseen.success(0.5) is None
