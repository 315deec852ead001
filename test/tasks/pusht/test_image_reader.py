"""The reader against the simulator's true state on real images: its floor, and what it says of bad images."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.block_pose import fit_block_pose, pose_error
from lingbot_ros.tasks.pusht.geometry import centroid_at, outline_at, to_pixels
from lingbot_ros.tasks.pusht.image_reader import Shares, block_centroid, block_iou, pusher_centre, read_shares
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState
from lingbot_ros.tasks.pusht.windows import PushTWindows

Image = NDArray[np.uint8]
WHITE, GREEN, SLATE, BLUE = (255, 255, 255), (144, 238, 144), (143, 163, 184), (78, 126, 255)


def draw(pusher: tuple[float, float], block: tuple[float, float, float]) -> Image:
    simulator = PushTSimulator()
    simulator.set_state(PushTState(np.array(pusher), np.zeros(2), np.array(block)))
    return simulator.render()


def whole_blocks(windows: PushTWindows) -> list[tuple[Image, NDArray[np.float64], NDArray[np.float64]]]:
    """(image, pusher, block) of frames in which the T lies wholly inside the walls."""
    found = []
    for n in range(len(windows)):
        for k in range(0, windows.frames.shape[1], 3):
            corners = outline_at(windows.block[n, k])
            if corners.min() > 8 and corners.max() < 504:
                found.append((windows.frames[n, k], windows.pusher[n, k], windows.block[n, k]))
    assert len(found) > 40
    return found


def test_floor_on_real_images(windows: PushTWindows) -> None:
    pusher, centroid, pose_px, pose_deg, iou = [], [], [], [], []
    for frame, at, block in whole_blocks(windows):
        shares = read_shares(frame)
        pusher.append(np.hypot(*(pusher_centre(shares) - to_pixels(at, 96))))
        centroid.append(np.hypot(*(block_centroid(shares) - to_pixels(centroid_at(block), 96))))
        fit = fit_block_pose(shares)
        error = pose_error(fit.pose, block, 96)
        pose_px.append(error[0])
        pose_deg.append(error[1])
        iou.append(fit.iou)
    assert np.median(pusher) < 0.2
    assert max(pusher) < 0.5
    assert np.median(centroid) < 0.4
    assert np.percentile(centroid, 95) < 1.0
    assert np.median(pose_px) < 0.15
    assert np.percentile(pose_px, 95) < 0.4
    assert np.median(pose_deg) < 0.4
    assert np.percentile(pose_deg, 95) < 1.5
    assert np.mean(iou) > 0.94
    assert min(iou) > 0.85


@pytest.mark.parametrize("block", [(256.0, 200.0, 0.4), (250.0, 220.0, -2.0)], ids=str)
def test_pusher_on_the_block_hides_neither(block: tuple[float, float, float]) -> None:
    """The pusher can be driven into the block; both must still be found."""
    at = tuple(centroid_at(block))
    shares = read_shares(draw(at, block))
    assert np.hypot(*(pusher_centre(shares) - to_pixels(at, 96))) < 0.5
    error_px, error_deg = pose_error(fit_block_pose(shares).pose, np.array(block), 96)
    assert error_px < 0.5
    assert error_deg < 2.0


def test_block_on_the_goal_is_not_taken_for_it() -> None:
    block = (256.0, 256.0, np.pi / 4 + 0.2)
    fit = fit_block_pose(read_shares(draw((60.0, 60.0), block)))
    error_px, error_deg = pose_error(fit.pose, np.array(block), 96)
    assert error_px < 0.4
    assert error_deg < 1.5


def test_empty_table_has_no_pusher_and_no_block() -> None:
    shares = read_shares(np.full((96, 96, 3), 255, np.uint8))
    assert np.isnan(pusher_centre(shares)).all()
    assert np.isnan(block_centroid(shares)).all()
    fit = fit_block_pose(shares)
    assert np.isnan(fit.pose).all()
    assert fit.iou == 0.0
    assert block_iou(shares, shares) == 0.0


def test_the_goal_alone_is_no_block() -> None:
    picture = np.full((96, 96, 3), WHITE, np.uint8)
    cv2.fillPoly(picture, [to_pixels(outline_at((256.0, 256.0, 0.8)), 96).round().astype(np.int32)], GREEN)
    assert not read_shares(picture).block_mask.any()


def test_shares_of_a_half_covered_pixel_are_halves() -> None:
    half = np.array(WHITE) * 0.5 + np.array((139, 158, 178)) * 0.5
    shares = read_shares(np.broadcast_to(half.round().astype(np.uint8), (4, 4, 3)))
    np.testing.assert_allclose(shares.block, 0.5, atol=0.03)
    np.testing.assert_allclose(shares.pusher, 0.0, atol=0.03)


def test_sub_pixel_shift_is_seen() -> None:
    """Two units are 0.375 pixels."""
    left, right = (pusher_centre(read_shares(draw((x, 100.0), (350.0, 350.0, 0.0)))) for x in (100.0, 102.0))
    assert right[0] - left[0] == pytest.approx(0.375, abs=0.15)
    assert right[1] - left[1] == pytest.approx(0.0, abs=0.1)


def test_iou_of_shifted_blocks_is_what_counting_says() -> None:
    block, other = np.zeros((20, 20)), np.zeros((20, 20))
    block[5:15, 5:15], other[5:15, 10:20] = 1.0, 1.0
    nothing = np.zeros((20, 20))
    assert block_iou(Shares(nothing, block), Shares(nothing, other)) == pytest.approx(50 / 150)
    hidden = np.zeros((20, 20))
    hidden[5:15, 5:10] = 1.0
    assert block_iou(Shares(hidden, block), Shares(nothing, other)) == pytest.approx(50 / 100)


@pytest.mark.parametrize("ruin", ["blob", "blur", "torn"])
def test_rigidity_falls_when_the_block_is_ruined(ruin: str) -> None:
    block = (256.0, 180.0, 2.2)
    clean = draw((60.0, 60.0), block)
    picture = np.full((96, 96, 3), WHITE, np.uint8)
    if ruin == "blob":
        cv2.circle(picture, (48, 40), 9, SLATE, -1)
    elif ruin == "blur":
        picture = np.asarray(cv2.GaussianBlur(clean, (0, 0), 3.0), np.uint8)
    else:
        picture[:, 48:], picture[8:, :48] = clean[:, 48:], clean[:-8, :48]
    intact, ruined = fit_block_pose(read_shares(clean)).iou, fit_block_pose(read_shares(picture)).iou
    assert intact > 0.93
    assert ruined < 0.8


@pytest.mark.parametrize(
    ("turn", "degrees"), [(0.1, 5.73), (2 * np.pi, 0.0), (-np.pi, 180.0)], ids=["small", "full turn", "upside down"]
)
def test_pose_error_turns_the_short_way(turn: float, degrees: float) -> None:
    pose = np.array([200.0, 200.0, 1.0])
    assert pose_error(pose + np.array([0.0, 0.0, turn]), pose, 96)[1] == pytest.approx(degrees, abs=0.01)
    assert pose_error(pose + np.array([512 / 96, 0.0, 0.0]), pose, 96) == pytest.approx((1.0, 0.0))
