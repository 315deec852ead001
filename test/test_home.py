"""Services and containers may have no home folder."""

import os
from pathlib import Path

import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.home import cache_home, expanded, provide_ros_home, ros_home


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without HOME and without an entry in the list of users; returns the folder of temporary files."""
    for name in ("HOME", "ROS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda user: {}[user])
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return tmp_path


def test_without_a_home_a_temporary_folder_is_used_and_said(homeless: Path) -> None:
    spare = homeless / f"ros_of_user_{os.getuid()}"
    assert (ros_home(), cache_home()) == (spare, spare / "cache")
    sentence = provide_ros_home()
    assert sentence is not None and str(spare) in sentence and "set HOME or ROS_HOME" in sentence
    assert os.environ["ROS_HOME"] == str(spare)
    assert provide_ros_home() is None
    del os.environ["ROS_HOME"]
    with pytest.raises(InputError, match=r"snapshots\.folder: got '~/here'; set HOME"):
        expanded("~/here", "snapshots.folder")


def test_a_home_that_cannot_be_written_is_replaced_and_one_that_can_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ROS_HOME", raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert provide_ros_home() is not None
    monkeypatch.delenv("ROS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert provide_ros_home() is None
    assert ros_home() == tmp_path / ".ros"
