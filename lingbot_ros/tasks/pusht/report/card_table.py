"""What a card quotes as the table that a README shows."""

from collections.abc import Mapping
from typing import Any

from lingbot_ros.tasks.pusht.report.card_quality import PREDICTORS

_FRAMES = (1, 4, 16, 64)
_IMAGINED, _STILL = PREDICTORS["model"], PREDICTORS["repeat"]

# Name, figure of the card, decimals, what the baseline is called, if it says anything.
_ROWS = (
    ("PSNR, mean dB", "psnr_db_mean", 1, "the last real frame repeated"),
    ("pusher error, median px of 96", "pusher_error_px_median", 2, "the pusher stands still"),
    ("block mask IoU, mean", "block_iou_mean", 2, "the block stands still"),
    ("block pose error, median px", "block_pose_error_px_median", 2, "the block stands still"),
    ("block pose error, median degrees", "block_pose_error_deg_median", 1, "the block stands still"),
    ("block rigidity (best-fit IoU), mean", "block_rigidity_mean", 2, ""),
)


def card_table(quality: Mapping[str, Any]) -> str:
    """The main figures of all windows and of those with an early push, as Markdown, from a card's `quality`."""
    frames = [frame for frame in _FRAMES if frame in quality["frames"]]
    subsets = [quality["all_windows"], quality["contact_windows"]]
    names = [f"{prefix}frame {frame}" for prefix in ("", "pushed, ") for frame in frames]
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for name, figure, decimals, still in _ROWS:
        for predictor, label in ((_IMAGINED, name), (_STILL, f"... {still}" if still else "")):
            if label:
                columns = [subset[figure][predictor][quality["frames"].index(k)] for subset in subsets for k in frames]
                cells = ["-" if value is None else f"{value:.{decimals}f}" for value in columns]
                lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
