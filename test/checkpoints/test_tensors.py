"""Reading of .pth files: tensors only; and a world is never loaded from something that runs code."""

import os
from pathlib import Path

import pytest
import torch

from lingbot_ros.checkpoints.tensors import read_tensors
from lingbot_ros.errors import ModelError
from test.support.released_layouts import random_weights, write_shards


class Payload:
    """Unpickling it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_a_pth_of_tensors_is_read(tmp_path: Path) -> None:
    torch.save({"a": torch.arange(6.0).reshape(2, 3)}, tmp_path / "x.pth")
    assert torch.equal(dict(read_tensors(tmp_path / "x.pth"))["a"], torch.arange(6.0).reshape(2, 3))


def test_code_in_a_pth_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"a": Payload(tmp_path / "made")}, tmp_path / "x.pth")
    with pytest.raises(ModelError, match="more than tensors"):
        dict(read_tensors(tmp_path / "x.pth"))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("cut", [0, 10, 400])
def test_a_truncated_pth_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.pth"
    torch.save({"a": torch.zeros(50)}, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelError, match="damaged"):
        dict(read_tensors(path))


def test_other_objects_are_refused(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "x.pth")
    with pytest.raises(ModelError, match="not a dictionary of tensors"):
        dict(read_tensors(tmp_path / "x.pth"))


def test_a_folder_of_shards_is_read_whole(tmp_path: Path) -> None:
    weights = random_weights()
    found = dict(read_tensors(write_shards(tmp_path, weights)))
    assert found.keys() == weights.keys() and all(torch.equal(found[name], weights[name]) for name in weights)
