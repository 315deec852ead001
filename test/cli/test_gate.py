"""`lingbot gate` on reports with made-up figures."""

import json
from pathlib import Path

import pytest

from lingbot_ros.cli.main import main


def report(folder: Path, r: float | None = 0.95, refused: str | None = None) -> str:
    pearson = {"value": r, "published": None if r is None else [r - 0.1, 0.99]}
    agreement = {"pearson": pearson, "mmrv": 0.04, "bias": -0.03}
    record = {
        "schema": "lingbot.evaluation/1",
        "agreement": {"all": agreement},
        "hallucinated": {"upper": 0.049},
        "refused": refused,
        "threshold": 0.9,
        "truths": [
            {"threshold": 0.85, "scorer_on_real": {"agreement": 0.5}},
            {"threshold": 0.9, "scorer_on_real": {"agreement": 0.973}},
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(record))
    return str(folder)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ([], 0),
        (["--min-agreement", "0.95"], 0),
        (["--min-agreement", "0.96"], 1),
        (["--min-agreement-low", "0.85"], 0),
        (["--min-agreement-low", "0.9"], 1),
        (["--max-mmrv", "0.05", "--max-bias", "0.05", "--max-hallucinated", "0.05"], 0),
        (["--max-mmrv", "0.03"], 1),
        (["--min-scorer", "0.97"], 0),
        (["--min-scorer", "0.98"], 1),
        (["--max-bias", "0.02"], 1),
        (["--max-hallucinated", "0.04"], 1),
    ],
)
def test_limits_decide_the_exit_code(tmp_path: Path, limits: list[str], code: int) -> None:
    assert main(["gate", report(tmp_path / "new"), *limits]) == code


def test_a_report_that_does_not_rank_or_lacks_the_figure_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", report(tmp_path / "refused", refused="the scorer errs")]) == 1
    assert main(["gate", report(tmp_path / "none", r=None), "--min-agreement", "0.1"]) == 1
    assert "FAIL agreement r: none, limit 0.1" in capsys.readouterr().out


def test_a_checkpoint_that_got_worse_fails(tmp_path: Path) -> None:
    old, new = report(tmp_path / "old", r=0.97), report(tmp_path / "new", r=0.94)
    assert main(["gate", new, "--baseline", old]) == 1
    assert main(["gate", new, "--baseline", old, "--tolerance", "0.05"]) == 0
    assert main(["gate", old, "--baseline", new]) == 0


def test_what_is_not_a_report_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(tmp_path / "nothing")]) == 2
    (tmp_path / "evaluation.json").write_text('{"schema": "other/1"}')
    assert main(["gate", str(tmp_path)]) == 2
    assert main(["gate", report(tmp_path / "new"), "--baseline", report(tmp_path / "none", r=None)]) == 2
    assert "lingbot gate: baseline: got a report without a correlation" in capsys.readouterr().err
