"""Judges with random weights of the true classes: they load from disk alone, and say how far they can be believed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import VideoMAEConfig, VideoMAEModel

from lingbot_ros.errors import InputError, ModelError
from lingbot_ros.evaluate.judges.admission import admit
from lingbot_ros.evaluate.judges.language_model import LanguageModelJudge, Opinion, read_answer, shown_frames
from lingbot_ros.evaluate.judges.lpips import BACKBONE, WEIGHTS, Lpips
from lingbot_ros.evaluate.judges.video_distance import VideoFeatures, video_distance
from test.support.tiny_judges import write_lpips
from test.support.tiny_vision_language import write_vlm

RNG = np.random.default_rng(0)
FILM = RNG.integers(0, 256, (20, 48, 48, 3), np.uint8)


def test_a_language_model_that_talks_nonsense_has_no_valid_vote(tmp_path: Path) -> None:
    judge = LanguageModelJudge(write_vlm(tmp_path / "vlm"), "the T covers the green area.", votes=1)
    opinion = judge.judge(FILM[:4])
    assert opinion == Opinion(None, None, 1.0)
    assert not opinion.success and opinion.warnings == ("JUDGE_INVALID",)


class Scripted(LanguageModelJudge):
    """The judge with answers that are given, in the order in which it asks."""

    def __init__(self, answers: list[str], votes: int) -> None:
        self._condition, self._votes, self._model = "it is done.", votes, self
        self._answers, self.asked = answers, list[str]()

    def answer(self, frames: list[np.ndarray], text: str, most_tokens: int) -> str:
        self.asked.append(text)
        return self._answers.pop(0)


def said(key: str, value: bool) -> str:
    return f"Sure. {json.dumps({'evidence': 'image 3', key: value, 'progress': 50})}"


def test_votes_of_both_framings_are_counted_and_an_unreadable_one_is_asked_again() -> None:
    answers = [said("success", True), "hm", said("success", True), said("failure", False), said("failure", True)]
    judge = Scripted(answers, votes=2)
    opinion = judge.judge(FILM)
    assert (opinion.share, opinion.framing_gap, opinion.invalid) == (0.75, 0.5, 0.0)
    assert opinion.success and opinion.warnings == ("JUDGE_INCONSISTENT",)
    assert "Did the robot fail at the task?" in judge.asked[-1] and "Remember" in judge.asked[2]
    tie = Scripted([said("success", True), said("failure", True)], votes=1).judge(FILM)
    assert tie.share == 0.5 and not tie.success


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"success": true}', True),
        ('first {"success": true} then {"evidence": "{", "success": false}', False),
        ('{"success": "yes"}', None),
        ("no", None),
        ('{"success": true} {"success": false}', False),
    ],
)
def test_answers_are_read_strictly(text: str, verdict: bool | None) -> None:
    assert read_answer(text, "success") is verdict


def test_a_judge_sees_sixteen_images_with_the_first_and_the_last() -> None:
    film = np.arange(49, dtype=np.uint8).reshape(49, 1, 1, 1)
    for offset in range(3):
        seen = [int(frame[0, 0, 0]) for frame in shown_frames(film, offset)]
        assert len(seen) <= 16 and seen[0] == 0 and seen[-1] == 48
    assert len(shown_frames(film[:1], 2)) == 1


def test_only_a_judge_that_is_right_often_enough_is_admitted() -> None:
    true = [index % 2 == 0 for index in range(40)]
    assert admit(true, true).admitted
    assert not admit(true[:39], true[:39]).admitted
    assert not admit([True] * 40, true).admitted
    nearly = [not value if index < 7 else value for index, value in enumerate(true)]
    assert admit(nearly, true).admitted
    assert not admit([not value if index < 9 else value for index, value in enumerate(true)], true).admitted


def test_lpips_is_zero_for_equal_images_and_orders_blurs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=BACKBONE):
        Lpips(tmp_path)
    write_lpips(tmp_path)
    lpips = Lpips(tmp_path)
    images = np.repeat(np.repeat(RNG.integers(0, 256, (3, 16, 16, 3), np.uint8), 6, 1), 6, 2)
    assert lpips.distances(imagined=images, reference=images).tolist() == [0, 0, 0]
    assert (lpips.distances(imagined=images[::-1], reference=images)[[0, 2]] > 0).all()
    assert lpips.order(list(images)) == 1.0
    (tmp_path / WEIGHTS).write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Lpips(tmp_path)


def test_lpips_gives_the_figures_of_torchmetrics(tmp_path: Path) -> None:
    pytest.importorskip("torchvision", exc_type=(ImportError, RuntimeError))
    lpips_class = pytest.importorskip("torchmetrics.functional.image.lpips")._LPIPS
    theirs = lpips_class(pretrained=False, net="alex", pnet_rand=True).eval()
    layers = [layer for name in range(1, 6) for layer in getattr(theirs.net, f"slice{name}")]
    convolutions = [(n, layer) for n, layer in enumerate(layers) if hasattr(layer, "weight")]
    weights = {f"features.{n}.{kind}": getattr(layer, kind) for n, layer in convolutions for kind in ("weight", "bias")}
    torch.save(weights, tmp_path / BACKBONE)
    torch.save(
        {f"lin{k}.model.1.weight": lin.model[-1].weight for k, lin in enumerate(theirs.lins)}, tmp_path / WEIGHTS
    )
    first, second = RNG.integers(0, 256, (2, 4, 96, 96, 3), np.uint8)
    expected = theirs(*(torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1 for x in (first, second))).flatten()
    found = Lpips(tmp_path).distances(imagined=first, reference=second)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-5)


def test_the_distance_of_films_needs_enough_clips_and_tells_unlike_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    config = VideoMAEConfig(image_size=32, patch_size=16, num_frames=4, hidden_size=16, num_hidden_layers=2,
                            num_attention_heads=2, intermediate_size=16)  # fmt: skip
    VideoMAEModel(config).save_pretrained(tmp_path)
    features = VideoFeatures(tmp_path)
    assert features.of(FILM).shape == (17, 16) and features.of(FILM[:3]).shape == (0, 16)
    real = [RNG.integers(0, 256, (44, 32, 32, 3), np.uint8) for _ in range(4)]
    dark = [film // 4 for film in real]
    few = video_distance(imagined=dark, real=real, features=features)
    assert (few.distance, few.floor, few.clips) == (None, None, 4 * 41)
    monkeypatch.setattr("lingbot_ros.evaluate.image_metrics.frechet._FEWEST", 64)
    enough = video_distance(imagined=dark, real=real, features=features)
    assert enough.distance is not None and enough.floor is not None and enough.distance > 4 * enough.floor


@pytest.mark.parametrize("make", [VideoFeatures, lambda folder: LanguageModelJudge(folder, "done")])
def test_weights_that_are_not_on_disk_are_not_looked_for_elsewhere(make: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config.json"):
        make(tmp_path)  # type: ignore[operator]
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="judge:"):
        make(tmp_path)  # type: ignore[operator]
