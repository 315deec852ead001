"""`lingbot evaluate` from the command line to the page, and again after a kill."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lingbot_ros.cli.main import main
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.rollouts import Rollout
from test.support.tiny_judges import write_lpips
from test.support.tiny_model import write_tiny_model

ROOT = Path(__file__).parents[2]
FACTORY = "lingbot_ros.tasks.pusht.evaluation.policies:make_policy"
POLICIES = f"""
policies:
  - {{name: lazy, entry_point: &make "{FACTORY}", config: {{strokes: 1, replan_steps: 4}}}}
  - {{name: wandering, entry_point: *make, config: {{kind: wandering}}}}
  - {{name: "<b>still</b>", entry_point: *make, config: {{kind: still}}}}
"""
ENDLESS = {"meta", "br", "img", "input", "hr", "line", "circle", "rect"}


def words(folder: Path, *more: str) -> list[str]:
    policies = folder / "policies.yaml"
    policies.write_text(POLICIES)
    fixed = ["--policies", str(policies), "--rollouts", "2", "--horizon", "6", "--rows", "4", "--threads", "1"]
    fixed += ["--model", "pusht-small"]
    return ["evaluate", *fixed, "--out", str(folder / "report"), *more]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert main(words(folder, "--reference")) == 0
    return folder / "report"


def test_the_record_holds_what_it_takes_to_repeat_it(report: Path) -> None:
    record = json.loads((report / "evaluation.json").read_text())
    assert record["schema"] == "lingbot.evaluation/1"
    assert (record["threshold"], record["horizon"]) == (0.9, 6)
    assert record["settings"]["command"].startswith(
        "lingbot evaluate --rollouts 2 --horizon 6 --seed 0 --model pusht-small"
    )
    assert record["settings"]["model"]["weights_sha256"] and len(record["settings"]["starts"]) == 2
    assert record["settings"]["policies_file"] == POLICIES
    assert [policy["policy"] for policy in record["policies"]] == ["lazy", "wandering", "<b>still</b>"]
    assert {policy["decided"] for policy in record["policies"]} == {2}
    assert set(record["controls"]) == {"lazy/zero", "lazy/flipped", "lazy/random"}
    assert [(row["threshold"], row["horizon"]) for row in record["rows"]] == [(0.9, 6), (0.85, 6), (0.95, 6)]
    assert record["truths"][1]["scorer_on_real"]["count"] == 12
    assert record["truths"][1]["scorer_on_imagined"]["count"] == 24
    assert record["trials_per_policy"] == 2 and "expert" in record["how_starts_were_drawn"]
    assert len(record["verdict"]) == 3 and record["verdict"][0].startswith("No ranking is given: it takes 20 rollouts")
    assert {"torch", "gym-pusht"} <= set(record["versions"])
    assert record["seconds_of_this_run"]["imagined"]["world"] > 0


def test_the_file_of_lerobot_s_form_has_every_policy(report: Path) -> None:
    info = json.loads((report / "eval_info.json").read_text())
    assert list(info["per_group"]) == ["lazy", "wandering", "<b>still</b>"]
    assert info["per_group"]["lazy"]["n_episodes"] == 2 and info["overall"]["n_trials"] == 6
    assert "no training has" in info["how_starts_were_drawn"] and info["overall"]["seen_in_training"] is False


class Checked(HTMLParser):
    """Notes tags that are not closed in order, and whatever would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.fetched += [
            value for name, value in attrs if name in ("src", "href") and not str(value).startswith("data:")
        ]
        if tag not in ENDLESS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ENDLESS:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_stands_alone(report: Path) -> None:
    page = (report / "index.html").read_text()
    checked = Checked()
    checked.feed(page)
    assert not checked.open and not checked.fetched
    assert "script" not in checked.seen and "link" not in checked.seen
    assert {"svg", "table", "img", "figure"} <= checked.seen
    assert "url(" not in page and "@import" not in page
    assert "&lt;b&gt;still" in page and "<b>still" not in page
    assert page.index("No ranking is given") < page.index("<h2>")


def killed_after(folder: Path, rollouts: int) -> None:
    """Run the command in a process and kill it once it has stored so many imagined rollouts."""
    command = [sys.executable, "-m", "lingbot_ros.cli.main", *words(folder, "--reference")]
    stored = folder / "report" / "imagined.jsonl"
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}) as run:
        assert run.stderr is not None
        while run.poll() is None:
            run.stderr.read1(200)  # progress is written as rollouts end
            if stored.exists() and stored.read_bytes().count(b"\n") > rollouts:
                run.send_signal(signal.SIGKILL)
                break
        run.wait(timeout=120)
    assert run.returncode == -signal.SIGKILL


def test_a_killed_run_goes_on_to_the_same_numbers(report: Path, tmp_path: Path) -> None:
    killed_after(tmp_path, 5)
    assert not (tmp_path / "report" / "evaluation.json").exists()
    assert main(words(tmp_path, "--reference")) == 0
    for name in ("imagined.jsonl", "reference.jsonl"):
        first, second = ((folder / name).read_text().splitlines()[1:] for folder in (report, tmp_path / "report"))
        assert sorted(first) == sorted(second)
        assert Rollout.from_plain(json.loads(first[0])).scores
    whole, again = (json.loads((folder / "evaluation.json").read_text()) for folder in (report, tmp_path / "report"))
    for name in ("policies", "rows", "agreement", "controls", "truths", "verdict"):
        assert whole[name] == again[name]


def test_a_folder_of_another_evaluation_is_refused(report: Path) -> None:
    with pytest.raises(InputError, match="another evaluation"):
        _run(["--seed", "0"], lambda text: text.replace("lazy", "other"), report)


@pytest.mark.parametrize(
    ("more", "policies", "message"),
    [
        (["--rollouts", "0"], None, r"^--rollouts: got 0"),
        (["--threshold", "2"], None, r"^--threshold: got 2.0"),
        (["--seed", "-1"], None, r"^--seed: got -1"),
        (["--judge", "lpips"], None, r"^--judge: got lpips; give NAME=FOLDER"),
        (["--judge", "oracle=."], None, r"^--judge: got oracle; use one of lpips, fvd_videomae, vlm"),
        (["--judge", "lpips=/no"], None, r"^lpips: got /no/alexnet"),
        ([], "policies: []", r"^policies: got .* `policies:`"),
        ([], "policies: [{name: a, entry_point: 'no.such:thing'}]", r"^policies\[0\]\.entry_point: got"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, more: list[str], policies: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _run(more, lambda text: policies or text, tmp_path / "report")


def test_a_model_without_a_task_is_refused(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny")
    with pytest.raises(InputError, match="its card names no task"):
        _run(["--model", str(model)], lambda text: text, tmp_path / "report")


def _run(more: list[str], change: Callable[[str], str], out: Path) -> None:
    """The verb as `main` runs it, without its net for errors."""
    import argparse

    from lingbot_ros.cli import evaluate

    arguments = words(out.parent, *more)[1:]
    (out.parent / "policies.yaml").write_text(change(POLICIES))
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    evaluate.run(parser.parse_args([*arguments, "--out", str(out)]))


def test_the_text_names_policies_rates_and_controls(
    report: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Also when a judge is asked afterwards: the rollouts are there already."""
    write_lpips(tmp_path)
    assert main(words(report.parent, "--reference", "--judge", f"lpips={tmp_path}")) == 0
    said = json.loads((report / "evaluation.json").read_text())["judges"]["lpips"]
    assert said["films"] == 6 and said["lpips"] > 0 and 0 <= said["agreement"] <= 1
    assert "<h2>Judges</h2>" in (report / "index.html").read_text()
    shown = capsys.readouterr().out
    assert "12 rollouts of 6 frames" in shown
    assert re.search(r"lazy +0\.\d\d", shown)
    assert "wrong actions, lazy/zero: 0 of 2 imagined succeed" in shown
    assert "warning TOO_FEW_TRIALS" in shown
