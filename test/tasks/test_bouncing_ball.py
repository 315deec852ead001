"""Another person's task: installed as a package, found by entry point, trained, measured, by the page's commands."""

import json
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.errors import ModelError
from lingbot_ros.tasks.registry import find_task
from test.support.bouncing_ball import InstalledTask


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> InstalledTask:
    return InstalledTask(tmp_path_factory.mktemp("ball"))


@pytest.fixture(scope="module")
def model(installed: InstalledTask) -> Path:
    return installed.train(iterations=12)


def test_the_card_names_the_task(model: Path) -> None:
    card = find_card(model)
    assert card.task == "bouncing_ball"
    assert (card.height, card.width, card.control.names) == (32, 32, ("push_x", "push_y"))


def test_it_is_measured_by_its_own_figures(installed: InstalledTask, model: Path) -> None:
    done = installed.run("eval-model", "--json", "report.json", "--card")
    report = json.loads((installed.folder / "report.json").read_text())
    (required,) = report["required"]
    assert required["name"] == "ball, mean px" and required["frame"] == 4
    assert done.returncode == (1 if required["verdict"] == "MISS" else 0), done.stderr
    assert report["figures"]["windows"] == 12
    assert len(report["figures"]["task"]["ball_px"]["imagined"]) == 16
    assert "ball_px, mean" in done.stdout and "required:" in done.stdout
    assert {path.name for path in (installed.folder / "report").iterdir()} == {
        *("report.json", "report.txt", "strips.png"),
    }
    assert "ball_px_mean_imagined" in find_card(model).quality["figures"]


def test_its_metric_is_taken_while_it_is_trained(installed: InstalledTask, model: Path) -> None:
    done = installed.run("train", "--iterations", "14", "--eval-every", "13", "--run", "runs/other")
    assert done.returncode == 0, done.stderr
    assert "ball_px" in done.stdout + done.stderr
    assert (installed.folder / "runs" / "other" / "validation" / "000013.png").is_file()


def test_where_it_is_not_installed_that_is_said(model: Path) -> None:
    task = find_card(model).task
    assert task is not None
    with pytest.raises(ModelError, match=r"^task: got 'bouncing_ball'; .* install the package that has it"):
        find_task(task)


def test_the_ball_obeys_its_pushes(installed: InstalledTask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed.target)
    task = find_task("bouncing_ball")
    policy, first = task.demo_policy(0), task.first_image(0)
    assert policy is not None and first is not None

    from bouncing_ball.simulator import BallSimulator, find_ball

    ball = BallSimulator(0)
    np.testing.assert_array_equal(first.image, ball.render())
    heights = []
    for _ in range(60):
        ball.step(policy.act(ball.render()))
        heights.append(float(find_ball(ball.render())[1]))
        np.testing.assert_allclose(find_ball(ball.render()), ball.place, atol=0.5)
    assert min(heights) < 12  # it is kept up
    fallen = BallSimulator(0)
    for _ in range(200):
        fallen.step(np.zeros(2))
    assert fallen.place[1] > 24
