"""What a model's card quotes of a report: the few figures that a user decides by, each beside its baseline."""

from typing import Any

from lingbot_ros.evaluate.model_report import ModelReport

_FIGURES = (
    ("psnr_db", "mean", "psnr_db_mean"),
    ("pusher_px", "median", "pusher_error_px_median"),
    ("centroid_px", "mean", "block_centroid_error_px_mean"),
    ("block_iou", "mean", "block_iou_mean"),
    ("pose_px", "median", "block_pose_error_px_median"),
    ("pose_deg", "median", "block_pose_error_deg_median"),
    ("rigidity", "mean", "block_rigidity_mean"),
)
_PREDICTORS = {"model": "imagined", "repeat": "last_frame_repeated"}


def card_quality(report: ModelReport, command: str) -> dict[str, Any]:
    """The `quality` entry of a card, rounded; `command` is what made the report."""
    plain = report.plain()
    windows = plain["windows"]
    return {
        "command": command,
        "what": f"{windows['count']} held-out windows with contact, true actions, open loop "
        f"after {windows['context']} real frames, against gym-pusht",
        "frames": list(plain["frames"]),
        "figures": {
            name: {
                label: [round(row[key][statistic]["value"], 3) for row in plain["all_windows"][predictor]]
                for predictor, label in _PREDICTORS.items()
            }
            for key, statistic, name in _FIGURES
        },
        "pusher_error_ratio_of_wrong_actions": {
            name: round(wrong["ratio"]["value"], 1) for name, wrong in plain["wrong_actions"].items()
        },
        "milliseconds_per_frame": {name: round(value, 1) for name, value in plain["speed_ms"].items()},
        "machine": f"{plain['machine']['cpu']}, {plain['model']['threads']} thread, torch {plain['versions']['torch']}",
        "weights_sha256": plain["model"]["weights_sha256"],
    }
