"""Records of an evaluation and the files made of them."""

import json
from math import nan
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError, ResourceError
from lingbot_ros.evaluate.results import Evaluation, eval_info, policy_results, save_evaluation
from lingbot_ros.evaluate.results.evaluation import arms_of, outcomes
from lingbot_ros.evaluate.rollouts import Ending, Rollout
from lingbot_ros.evaluate.statistics.agreement import agree
from lingbot_ros.evaluate.statistics.rates import wilson
from lingbot_ros.evaluate.statistics.wrong_action_success import FalseSuccess


def rollout(policy: str, start: int, *scores: float, arm: str = "imagined") -> Rollout:
    actions = ((0.0, 0.0),) * len(scores)
    return Rollout(policy, f"start{start}", arm, start, Ending.HORIZON, scores, actions, seen_in_training=False)


def failed(policy: str, start: int) -> Rollout:
    return Rollout(policy, f"start{start}", "imagined", start, Ending.INVALID, (0.99,), (), 0, "policy_crashed", "boom")


MIXED = [
    *(rollout("good", start, 0.2, 0.95) for start in range(9)),
    failed("good", 9),
    *(rollout("poor", start, 0.2, 0.5) for start in range(10)),
    *(failed("broken", start) for start in range(10)),
]


def test_rates_count_decided_rollouts_only() -> None:
    good, poor, broken = policy_results(MIXED, threshold=0.9)
    assert (good.successes, good.decided, good.rate) == (9, 9, 1.0)
    assert good.invalid == {"policy_crashed": 1}
    assert good.wilson == wilson(9, 9)
    assert (good.rank, poor.rank, broken.rank) == (1.0, 2.0, None)
    assert (good.tie_group, poor.tie_group) == (1, 2)
    assert (poor.successes, poor.rate) == (0, 0.0)
    assert (broken.decided, broken.rate, broken.wilson, broken.rank_interval) == (0, None, None, None)
    assert good.seen_in_training is None and poor.seen_in_training is False


def test_threshold_and_horizon_come_after_playing() -> None:
    assert [result.successes for result in policy_results(MIXED, threshold=0.9, horizon=1)] == [0, 0, 0]
    assert [result.successes for result in policy_results(MIXED, threshold=0.5)] == [9, 10, 0]
    assert outcomes(MIXED, 0.9)[0].tolist() == [*[1.0] * 9, pytest.approx(nan, nan_ok=True)]


def two_arms() -> tuple[list[Rollout], list[Rollout]]:
    rng = np.random.default_rng(0)
    arms: list[list[Rollout]] = [[], []]
    for index, strength in enumerate(np.linspace(0.1, 0.9, 6)):
        for start in range(30):
            for arm, name in zip(arms, ("imagined", "reference"), strict=True):
                arm.append(rollout(f"policy{index}", start, float(rng.random() < strength), arm=name))
    return arms[0], arms[1]


def test_arms_are_paired_whatever_the_order_of_the_reference() -> None:
    imagined, reference = two_arms()
    straight = arms_of(imagined=imagined, reference=reference, threshold=0.5)
    shuffled = arms_of(imagined=imagined, reference=reference[::-1], threshold=0.5)
    assert (straight.reference == shuffled.reference).all()
    with pytest.raises(InputError, match="in one arm only"):
        arms_of(imagined=imagined, reference=reference[1:], threshold=0.5)


def evaluation() -> Evaluation:
    imagined, reference = two_arms()
    arms = arms_of(imagined=imagined, reference=reference, threshold=0.5)
    return Evaluation(
        settings={"model": "tiny", "seed": 0},
        threshold=0.5,
        horizon=1,
        policies=policy_results(imagined, 0.5),
        agreement={"all": agree(arms, samples=200)},
        controls={"zero": FalseSuccess(0, 60)},
    )


def test_the_file_says_all_and_equal_evaluations_give_equal_bytes(tmp_path: Path) -> None:
    save_evaluation(tmp_path / "a" / "report.json", evaluation())
    save_evaluation(tmp_path / "b" / "report.json", evaluation())
    text = (tmp_path / "a" / "report.json").read_text()
    assert text == (tmp_path / "b" / "report.json").read_text()
    found = json.loads(text)
    assert found["schema"] == "lingbot.evaluation/1"
    table = found["agreement"]["all"]
    assert table["pearson"]["published"][0] < table["pearson"]["value"] < table["pearson"]["published"][1]
    assert table["n_policies"] == 6 and len(table["imagined"]) == 6
    assert set(table["ceiling"]) == {"pearson", "pearson_low", "mmrv", "mmrv_high"}
    assert found["controls"]["zero"]["passed"] is True
    assert found["controls"]["zero"]["upper"] == pytest.approx(0.048703, abs=1e-6)


def test_what_is_not_defined_is_null(tmp_path: Path) -> None:
    arms = arms_of(imagined=MIXED[:20], reference=MIXED[:20], threshold=0.99)
    poor = Evaluation({}, 0.99, 2, policy_results(MIXED, 0.9), agreement={"all": agree(arms, samples=50)})
    save_evaluation(tmp_path / "report.json", poor)
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["agreement"]["all"]["pearson"]["value"] is None
    assert found["agreement"]["all"]["pearson"]["published"] is None
    assert found["agreement"]["all"]["ceiling"]["pearson"] is None
    assert found["policies"][2]["rate"] is None


def test_a_folder_that_cannot_be_written_is_an_error_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="use another folder"):
        save_evaluation(tmp_path / "file" / "report.json", evaluation())


def test_lerobot_readers_find_what_they_look_for() -> None:
    found = eval_info(MIXED[:10], task="pusht", threshold=0.9, eval_s=18.0)
    overall = found["overall"]
    assert (overall["pc_success"], overall["n_success"], overall["n_episodes"]) == (100.0, 9, 9)
    assert overall["pc_success_ci95"] == pytest.approx([100 * wilson(9, 9).low, 100.0])
    assert overall["avg_max_reward"] == pytest.approx(0.95)
    assert overall["avg_sum_reward"] == pytest.approx(1.15)
    assert overall["eval_ep_s"] == 2.0 and overall["n_invalid"] == 1
    name = MIXED[0].policy
    assert found["per_group"] == {name: overall} and (found["task"], overall["n_trials"]) == ("pusht", 10)
    (task,) = found["per_task"]
    assert (task["task_group"], task["task_id"]) == (name, 0)
    assert task["metrics"]["successes"] == [True] * 9
    assert found["per_episode"][3] == {
        "policy": name,
        "episode_ix": 3,
        "sum_reward": pytest.approx(1.15),
        "max_reward": 0.95,
        "success": True,
        "seed": 3,
        "start": "start3",
        "seen_in_training": False,
    }
    json.dumps(found, allow_nan=False)


def test_a_policy_without_verdicts_has_no_rate_in_lerobots_file_either() -> None:
    overall = eval_info(MIXED[20:], task="pusht", threshold=0.9, eval_s=1.0)["overall"]
    assert overall["pc_success"] is None and overall["avg_max_reward"] is None and overall["n_invalid"] == 10
    whole = eval_info(MIXED, task="pusht", threshold=0.9, eval_s=3.0, drawn="at random")
    assert list(whole["per_group"]) == list(dict.fromkeys(rollout.policy for rollout in MIXED))
    assert whole["overall"]["n_trials"] == len(MIXED) and whole["how_starts_were_drawn"] == "at random"
    assert sum(part["eval_s"] for part in whole["per_group"].values()) == pytest.approx(3.0)
    with pytest.raises(InputError, match="one policy or more"):
        eval_info([], task="pusht", threshold=0.9, eval_s=1.0)
