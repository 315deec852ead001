"""Figures on own clips, on images whose errors are known."""

import json
import math

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.clip_metrics import LISTENS_DB, ClipMetrics, clip_metrics
from lingbot_ros.evaluate.clip_report import ClipReport, card_entries, report_text, shown_frames
from lingbot_ros.evaluate.metric import PSNR_CEILING_DB

WINDOWS, HORIZON = 6, 5


def grey(values: list[int]) -> NDArray[np.uint8]:
    """Windows of flat images, one grey level per frame, uint8 [N, H, 4, 4, 3]."""
    frames = np.broadcast_to(np.array(values, np.uint8)[:, None, None, None], (len(values), 4, 4, 3))
    return np.stack([frames] * WINDOWS)


REAL = grey([110, 120, 130, 140, 150])
LAST = np.full((WINDOWS, 4, 4, 3), 100, np.uint8)


def figures(imagined: list[int], shuffled: list[int]) -> ClipMetrics:
    return clip_metrics(REAL, LAST, grey(imagined), grey(shuffled))


def test_figures_by_hand() -> None:
    found = figures([105, 110, 130, 150, 200], [100, 100, 100, 100, 100])
    assert found.windows == WINDOWS and found.horizon == HORIZON
    np.testing.assert_allclose(found.error_ratio, [25 / 100, 100 / 400, 0, 100 / 1600, 1])
    imagined = [summary.value for summary in found.psnr_db["imagined"]]
    expected = [10 * math.log10(255**2 / error) for error in (25, 100)]
    np.testing.assert_allclose(imagined[:3], [*expected, PSNR_CEILING_DB])
    assert found.psnr_db["shuffled_actions"] == found.psnr_db["last_frame_repeated"]
    assert found.trusted == 4 and found.listens


def test_a_model_that_does_not_listen_is_not_said_to() -> None:
    deaf = figures([105, 110, 120, 130, 140], [105, 110, 120, 130, 140])
    assert deaf.shuffled_cost_db.value == 0 and not deaf.listens and deaf.trusted == HORIZON
    nearly = clip_metrics(REAL, LAST, REAL - 100, REAL - 101)
    assert 0 < nearly.shuffled_cost_db.low < LISTENS_DB and not nearly.listens


def test_where_nothing_moves_nothing_is_known() -> None:
    still = np.broadcast_to(LAST[:, None], REAL.shape)
    found = clip_metrics(still, LAST, still, still)
    assert found.error_ratio == [0.0] * HORIZON
    assert clip_metrics(still, LAST, REAL, REAL).trusted == 0


def report(imagined: list[int], shuffled: list[int]) -> ClipReport:
    model = {"name": "mine", "engine": "torch", "threads": 1, "weights_sha256": "0"}
    data = {"folder": "data", "episodes": [3, 5], "context": 4}
    return ClipReport(model, data, {"cpu": "a CPU"}, figures(imagined, shuffled), {"p50": 1.0, "p95": 2.0})


def test_the_report_says_in_words_what_the_figures_mean() -> None:
    text = report_text(report([110, 120, 130, 150, 200], [100] * 5))
    assert "up to frame 4 of 5" in text and "it listens to its actions" in text
    poor = report([100] * 5, [100] * 5)
    assert "learned next to nothing" in report_text(poor) and "is not shown" in report_text(poor)
    assert "max_horizon" not in card_entries(poor, "command")
    good = report([110, 120, 130, 140, 150], [100] * 5)
    assert "for all 5 frames" in report_text(good) and card_entries(good, "command")["max_horizon"] == 5
    assert json.loads(json.dumps(good.plain()))["schema_version"] == 2


def test_frames_shown_double_up_to_the_last() -> None:
    assert [shown_frames(n) for n in (1, 2, 5, 16)] == [[1], [1, 2], [1, 2, 4, 5], [1, 2, 4, 8, 16]]
