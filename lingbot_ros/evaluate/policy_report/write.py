"""Writes the report: `evaluation.json`, `eval_info.json` in LeRobot's form, and `index.html`."""

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lingbot_ros.errors import ErrorCode, ResourceError
from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.evaluate.policy_report.chosen import choose_rollouts
from lingbot_ros.evaluate.policy_report.findings import Findings, Truth, find
from lingbot_ros.evaluate.policy_report.judged import Judge, film_pairs
from lingbot_ros.evaluate.policy_report.page import page
from lingbot_ros.evaluate.policy_report.play import Plan, Played
from lingbot_ros.evaluate.policy_report.text import text
from lingbot_ros.evaluate.policy_report.verdict import verdict
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.results.evaluation import Evaluation
from lingbot_ros.evaluate.results.files import save_json
from lingbot_ros.evaluate.results.lerobot import eval_info
from lingbot_ros.evaluate.results.plain import evaluation_plain, plain
from lingbot_ros.evaluate.rollouts.stepper import Stepper
from lingbot_ros.evaluate.rollouts.wave import Seconds


def write_report(
    folder: Path,
    plan: Plan,
    task: PolicyTask,
    threshold: float,
    max_horizon: int | None,
    imagined: Played,
    reference: Played | None,
    command: str,
    stepper: Stepper | None = None,
    judges: Mapping[str, Judge] | None = None,
) -> tuple[Findings, str]:
    """Judge the rollouts and write the files. Returns findings and report for a terminal. Raises ResourceError."""
    findings = find(
        imagined=imagined,
        reference=reference,
        task=task,
        starts=plan.starts,
        threshold=threshold,
        horizon=plan.horizon,
        max_horizon=max_horizon,
        seed=plan.seed,
        stepper=stepper,
    )
    judged = _judged(judges or {}, findings, plan, task, imagined, stepper)
    record = _record(findings, plan, task, imagined, reference, command) | {"judges": judged}
    save_json(folder / "evaluation.json", record)
    save_json(folder / "eval_info.json", _eval_info(findings, task, imagined))
    shown = choose_rollouts(findings, folder, imagined, plan.starts, task, stepper)
    _save_page(folder / "index.html", page(findings, shown, _facts(plan, task, command), judged))
    arms = [("imagined", imagined)] if reference is None else [("reference", reference), ("imagined", imagined)]
    took = "; ".join(f"{name} {_took(arm.seconds)}" for name, arm in arms)
    wrote = f"wrote evaluation.json, eval_info.json, index.html to {folder}"
    return findings, f"{text(findings)}\n\ntime of this run: {took}\n{wrote}"


def _took(seconds: Seconds) -> str:
    return f"world {seconds.world:.0f} s, policies {seconds.policies:.0f} s, scorer {seconds.scorer:.0f} s"


def _judged(
    judges: Mapping[str, Judge],
    findings: Findings,
    plan: Plan,
    task: PolicyTask,
    imagined: Played,
    stepper: Stepper | None,
) -> dict[str, Any]:
    if not judges or stepper is None:
        return {}
    threshold = findings.main.threshold
    pairs = film_pairs(imagined.policies, plan.starts, findings.true_scores, threshold, task, stepper)
    return {name: plain(judge(pairs)) for name, judge in judges.items()} if pairs else {}


def _record(
    findings: Findings, plan: Plan, task: PolicyTask, imagined: Played, reference: Played | None, command: str
) -> dict[str, Any]:
    main = findings.main
    settings = {
        **plan.settings,
        "command": command,
        "scorer": {"name": task.scorer.name, "version": task.scorer.version},
        "seed": plan.seed,
        "starts": [start.id for start in plan.starts],
    }
    agreement = {
        name: found
        for name, found in (("all", main.agreement), ("without policies that never succeed", main.able))
        if found is not None
    }
    controls = {control.name: control.imagined for control in findings.controls}
    whole = Evaluation(
        settings, main.threshold, main.horizon, main.imagined, agreement, controls, tuple(findings.warnings)
    )
    return evaluation_plain(whole) | plain(
        {
            "verdict": verdict(findings),
            "refused": findings.refused,
            "rows": findings.rows,
            "hallucinated": findings.hallucinated,
            "control_arms": findings.controls,
            "truths": [_truth(truth) for truth in findings.truths],
            "gains": findings.gains,
            "foresight": findings.foresight,
            "trials_per_policy": len(plan.starts),
            "how_starts_were_drawn": task.how_starts_are_drawn,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "seconds_of_this_run": {
                "imagined": imagined.seconds,
                "reference": None if reference is None else reference.seconds,
            },
            "versions": describe_versions(task.packages),
            "machine": describe_machine(),
        }
    )


def _truth(truth: Truth) -> dict[str, Any]:
    def figures(verdicts: Any) -> dict[str, Any] | None:
        if verdicts is None:
            return None
        names = ("count", "agreement", "come_true", "foreseen", "phi")
        return plain(verdicts) | {name: getattr(verdicts, name) for name in names}

    return {
        "threshold": truth.threshold,
        "scorer_on_real": figures(truth.scorer),
        "scorer_on_imagined": figures(truth.known),
        "replayed": figures(truth.replay),
    }


def _eval_info(findings: Findings, task: PolicyTask, imagined: Played) -> dict[str, Any]:
    """What LeRobot's evaluation would have written of all policies."""
    return eval_info(
        imagined.policies,
        task=task.name,
        threshold=findings.main.threshold,
        horizon=findings.main.horizon,
        eval_s=imagined.seconds.world + imagined.seconds.policies + imagined.seconds.scorer,
        drawn=task.how_starts_are_drawn,
    )


def _facts(plan: Plan, task: PolicyTask, command: str) -> list[tuple[str, str]]:
    model = plan.settings["model"]
    seen = {start.seen_in_training for start in plan.starts}
    training = "no start is of an episode that the model was trained on"
    if True in seen:
        training = "some starts are of episodes that the model was trained on"
    elif None in seen:
        training = "not known"
    return [
        ("Command", command),
        ("Model", f"{model['name']}, weights {model['weights_sha256']}"),
        ("Scorer", f"{task.scorer.name}, version {task.scorer.version}"),
        ("Starts", f"{len(plan.starts)} for every policy, seed {plan.seed}; {task.how_starts_are_drawn}"),
        ("In training", training),
        ("Versions", ", ".join(f"{name} {version}" for name, version in describe_versions(task.packages).items())),
        ("Machine", ", ".join(str(value) for value in describe_machine().values())),
    ]


def _save_page(path: Path, content: str) -> None:
    aside = path.with_name(f".{path.name}")
    try:
        aside.write_text(content, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        fix = "free some space or use another folder"
        raise ResourceError(f"report: cannot write {path} ({error.strerror}); {fix}", ErrorCode.DISK) from error
