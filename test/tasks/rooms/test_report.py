"""The report's arithmetic, and its measurements on a room whose truth is known without a simulator."""

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.evaluation import EvaluationOptions
from lingbot_ros.model.scene.camera import Pinhole
from lingbot_ros.tasks.rooms.dataset.episode import Episode
from lingbot_ros.tasks.rooms.report.baselines import TrueScene
from lingbot_ros.tasks.rooms.report.evaluation import evaluate
from lingbot_ros.tasks.rooms.report.fidelity import drive_fidelity, summarise_fidelity
from lingbot_ros.tasks.rooms.report.measure import Measures, imagine_drive
from lingbot_ros.tasks.rooms.report.pose_reader import pose_errors
from lingbot_ros.tasks.rooms.report.report import (
    RoomsReport,
    Speed,
    card_entries,
    check_minimum,
    summarise_measures,
    summarise_revisits,
    trusted_frames,
)
from lingbot_ros.tasks.rooms.report.revisit import PHASES, Revisit, auroc, revisit
from lingbot_ros.tasks.rooms.simulator.house import draw_house
from lingbot_ros.world import World
from test.support.boards import CAMERA, path, render
from test.support.box_room import look, pose_at

pytestmark = pytest.mark.model
LENS = Pinhole(110.85, 110.85, 64.0, 64.0, 128, 128)
FRAMES = (1, 4)


@pytest.fixture(scope="module")
def episode() -> Episode:
    return in_the_box(np.stack([pose_at(-1 + 0.05 * t, -0.5, 0.4 + 0.03 * t) for t in range(8)]))


def in_the_box(poses: np.ndarray) -> Episode:
    seen = [look(pose, LENS) for pose in poses]
    return Episode(
        draw_house(9),
        np.zeros((len(poses), 4)),
        np.stack([colour for colour, _ in seen]),
        np.stack([depth for _, depth in seen]),
        np.diag([1.0, -1.0, -1.0, 1.0]) @ poses,
        np.array([LENS.fx, LENS.fy, LENS.cx, LENS.cy]),
    )


def test_alike_and_unlike_places_are_ranked() -> None:
    assert auroc([3.0, 4.0], [1.0, 2.0]) == 1 and auroc([1.0], [1.0]) == 0.5
    assert np.isnan(auroc([], [1.0]))
    true = {"seen": [30.0, 32.0], "away": [], "back": [29.0]}
    summary = summarise_revisits([Revisit({32: [40.0, 50.0]}, [10.0, 45.0], 44.0, [60.0], true)])
    assert summary["same_place_auroc"] == 0.75 and summary["first_view_again_db_median"] == 44
    phases = summary["true_db_median_by_phase"]
    assert phases["seen"] == 31 and phases["back"] == 29 and np.isnan(phases["away"])
    assert summarise_revisits([]) == {}
    assert pose_errors(np.array([1, 2, np.pi]), np.array([1.3, 2.4, -np.pi])) == pytest.approx((0, 0.5))


def test_a_place_is_kept_while_the_camera_is_away() -> None:
    out = [pose_at(-1.0, -0.5, 0.4 + 0.12 * t) for t in range(14)]
    found = revisit(World.load("rooms-small", threads=1), in_the_box(np.stack([*out, *reversed(out)])), 2)
    seen, away, back = (np.median(found.true_db[phase]) for phase in PHASES)
    assert sum(len(values) for values in found.true_db.values()) == 26
    assert len(found.true_db["seen"]) == len(found.true_db["back"]) - 2
    assert away < min(seen, back) and back > seen - 2 and found.first_db > 25


def test_baselines_know_what_was_in_view(episode: Episode) -> None:
    truth = TrueScene(episode, 4)
    assert truth.in_view(3).all() and 0.8 < truth.in_view(7).mean() < 1
    error = [np.abs(image.astype(float) - episode.frames[7])[truth.in_view(7)].mean() for image in
             (truth.warped(7), truth.rotated(7), episode.frames[3])]  # fmt: skip
    assert error[0] < error[1] < error[2]


def test_a_drive_is_measured_and_reported(episode: Episode) -> None:
    world = World.load("rooms-small", threads=1)
    figures, imagined = imagine_drive(world, episode, 4, FRAMES)
    assert imagined.shape == (4, 128, 128, 3) and not world.sessions
    measures = Measures(FRAMES)
    measures.add(figures)
    summary = summarise_measures(measures)
    assert summary["imagined.psnr_in_view_db_mean"][0] > summary["last_frame_repeated.psnr_in_view_db_mean"][0]
    assert summary["seen_share_mean"][0] > 0.8
    speed = Speed(10.0, 20.0, 10.0, 50.0)
    checks = check_minimum(FRAMES, summary, {}, speed)
    assert {check.frame for check in checks} == {1, None} and not checks[-1].passed and checks[-2].passed
    about = {"name": "rooms-small", "weights_sha256": "x"}
    drives = {"count": 1, "context": 4}
    report = RoomsReport(about, drives, FRAMES, summary, {}, speed, checks, trusted_frames(FRAMES, summary))
    assert "held-out drives" in report.text() and not report.meets_minimum
    assert card_entries(report, "lingbot eval-model rooms-small")["quality"]["frames"] == [1, 4]


def test_other_worlds_are_refused() -> None:
    with pytest.raises(InputError, match="camera model"):
        evaluate(World.load("pusht-lasting"), EvaluationOptions(1, 0, 4, 4))


def driven(yaw_deg: float, forward_m: float) -> Episode:
    """A drive along boards at several depths."""
    poses = path(yaw_deg, forward_m)
    frames, camera = np.stack([render(pose) for pose in poses]), CAMERA
    intrinsics = np.array([camera[0, 0], camera[1, 1], camera[0, 2] + 0.5, camera[1, 2] + 0.5])
    return Episode(draw_house(9), np.zeros((25, 4)), frames, np.ones(frames.shape[:3], np.float32), poses, intrinsics)


def test_a_camera_that_goes_elsewhere_is_caught_in_every_drive() -> None:
    sent = [driven(yaw, forward) for yaw, forward in ((2.1, 0.0), (1.8, 0.04), (1.5, 0.05))]
    true = summarise_fidelity([drive_fidelity(one, one.frames[4:], 4) for one in sent])
    assert true["camera"] == true["camera_of_true_images"] and true["drives_whose_camera_can_be_judged"] == 3
    assert true["camera"]["follows_share"] == 1 and true["camera"]["residual_px_median"] < 0.5
    assert true["usable_frames_20_db"] == 21 and true["last_frame_exposure_grey_levels"] == pytest.approx(
        true["last_frame_exposure_grey_levels_of_true_images"]
    )
    for factor in (1.1, 0.9, -1.0):
        made = [driven(factor * yaw, forward) for yaw, forward in ((2.1, 0.0), (1.8, 0.04), (1.5, 0.05))]
        wrong = [drive_fidelity(one, other.frames[4:], 4) for one, other in zip(sent, made, strict=True)]
        assert summarise_fidelity(wrong)["camera"]["follows_share"] == 0, factor
    assert summarise_fidelity([]) == {}


def test_a_drive_the_other_way_and_one_that_fades_are_told() -> None:
    sent, back = driven(0.0, 0.05), driven(0.0, -0.05)
    wrong = summarise_fidelity([drive_fidelity(sent, back.frames[4:], 4)])
    assert wrong["camera"]["follows_share"] == 0 and wrong["camera"]["front_share_median"] < 0.25
    faded = summarise_fidelity([drive_fidelity(sent, sent.frames[4:] // 2, 4)])
    assert faded["usable_frames_20_db"] == 0 and faded["last_frame_sharpness"] < 0.5
    assert faded["last_frame_exposure_grey_levels"] < -30
