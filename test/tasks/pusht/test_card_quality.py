"""The card says exactly what the report says, and the documentation exactly what the card says."""

import json
from pathlib import Path

import pytest
import yaml

from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.cli.main import main
from lingbot_ros.tasks.pusht.report.card_table import card_table
from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model

ROOT = Path(__file__).parents[3]
PLACES = (
    ("psnr_db_mean", "psnr_db", "mean"),
    ("pusher_error_px_median", "pusher_px", "median"),
    ("block_centroid_error_px_mean", "centroid_px", "mean"),
    ("block_iou_mean", "block_iou", "mean"),
    ("block_pose_error_px_median", "pose_px", "median"),
    ("block_pose_error_deg_median", "pose_deg", "median"),
    ("block_rigidity_mean", "rigidity", "mean"),
)


def test_card_quotes_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = write_tiny_model(tmp_path, size=96, task="pusht"), tmp_path / "report.json"
    options = ["--episodes", "4", "--horizon", "4", "--context", "2", "--threads", "1", "--compare", "int8"]
    assert main(["eval-model", str(folder), *options, "--json", str(file), "--card"]) == 1
    report, card = json.loads(file.read_text()), yaml.safe_load((folder / "card.yaml").read_text())
    quality = card["quality"]
    assert quality["frames"] == report["frames"] == [1, 2, 4]
    for subset in ("all_windows", "contact_windows"):
        assert set(quality[subset]) == {name for name, _, _ in PLACES}
        for name, measure, statistic in PLACES:
            for label, source in (("imagined", "model"), ("last_frame_repeated", "repeat")):
                said = [row[measure][statistic]["value"] for row in report[subset][source]]
                assert quality[subset][name][label] == [None if v is None else round(v, 3) for v in said]
    assert card["max_horizon"] == report["max_horizon"] == World.load(folder, threads=1).info.max_horizon
    missed = [row for row in report["minimum"] if row["verdict"] == "MISS"]
    assert len(quality["below_minimum"]) == len(missed) > 0
    assert set(quality["wrong_actions"]) == {"shuffled", "hold", "zero", "flipped"}
    assert set(quality["milliseconds_per_frame"]) == {"1 thread(s)", "2 thread(s)"}
    assert list(quality["psnr_db_difference_of_int8"]) == [1]
    assert quality["command"] == (
        "lingbot eval-model tiny --episodes 4 --seed 0 --horizon 4 --context 2 --threads 1 --compare int8"
    )
    printed = capsys.readouterr().out
    assert "figures miss the minimum" in printed and "max_horizon: 0 frames" in printed


def test_the_documentation_shows_what_the_card_quotes() -> None:
    """`eval-model --card --out FOLDER` writes both; the table of docs/models.md is FOLDER/table.md."""
    card = find_card("pusht-lasting")
    page = (ROOT / "docs" / "models.md").read_text()
    assert card_table(card.quality) in page
    assert f"`max_horizon` is {card.max_horizon}" in page


@pytest.mark.parametrize("name", ["pusht-lasting", "pusht-small"])
def test_the_card_is_about_the_weights_beside_it(name: str) -> None:
    card: ModelCard = find_card(name)
    assert card.quality["weights_sha256"] == card.weights.sha256
