"""What `--out` leaves behind can be read back."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lingbot_ros.cli.imagine.film import Recording
from lingbot_ros.errors import ResourceError


def test_image_film_and_summary(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out", fps=10.0)
    frames = [np.full((96, 96, 3), (20 * k, 255 - 20 * k, 128), np.uint8) for k in range(8)]
    for frame in frames:
        recording.add(frame)
    recording.finish({"frames": 8})
    latest = cv2.imread(str(tmp_path / "out" / "latest.png"))
    assert latest.shape == (384, 384, 3)
    np.testing.assert_array_equal(latest[0, 0, ::-1], frames[-1][0, 0])
    film = cv2.VideoCapture(str(tmp_path / "out" / "imagined.mp4"))
    assert (film.get(cv2.CAP_PROP_FRAME_COUNT), film.get(cv2.CAP_PROP_FPS)) == (8, 10)
    _, first = film.read()
    np.testing.assert_allclose(first[200, 200, ::-1], frames[0][0, 0], atol=12)
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == {"frames": 8}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["imagined.mp4", "latest.png", "summary.json"]


def test_a_frame_that_is_not_to_be_believed_has_a_red_border(tmp_path: Path) -> None:
    recording, frame = Recording(tmp_path, fps=10.0), np.full((96, 96, 3), 200, np.uint8)
    for trust, edge in ((float("nan"), (200, 200, 200)), (0.5, (200, 200, 200)), (0.05, (40, 40, 220))):
        recording.add(frame, trust)
        latest = cv2.imread(str(tmp_path / "latest.png"))
        assert tuple(latest[200, 0].tolist()) == tuple(latest[-1, 200].tolist()) == edge
        assert (latest[192, 192] == 200).all()
    recording.finish({})


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match=r"^--out: cannot write .*/file/out \(Not a directory\); free some disk"):
        Recording(tmp_path / "file" / "out", fps=10.0)
