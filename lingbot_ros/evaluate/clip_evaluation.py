"""The evaluation of a model on the held-back episodes of a set of clips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.clip_metrics import ClipMetrics, clip_metrics
from lingbot_ros.evaluate.clip_report import ClipReport, card_entries, report_text, shown_frames
from lingbot_ros.evaluate.clip_windows import choose_windows, cut_windows
from lingbot_ros.evaluate.evaluation import EvaluationOptions
from lingbot_ros.evaluate.limits import Check, all_passed
from lingbot_ros.evaluate.machine import describe_machine, describe_model
from lingbot_ros.evaluate.metric import Metric, squared_error
from lingbot_ros.evaluate.open_loop import imagine_windows
from lingbot_ros.evaluate.report_files import write_json, write_text
from lingbot_ros.world import World

Limits = Callable[[ClipMetrics], tuple[Check, ...]]
"""Holds what was measured against what a task asks for."""


def no_limits(figures: ClipMetrics) -> tuple[Check, ...]:
    """Of clips of which nobody knows what a good model of them reaches."""
    return ()


@dataclass(frozen=True)
class ClipEvaluation:
    """See `evaluation.Evaluation`. What it was made from: uint8 [N, H, h, w, 3]; titles say where a window is from."""

    report: ClipReport
    real: NDArray[np.uint8]
    imagined: NDArray[np.uint8]
    titles: list[str]

    @property
    def meets_required(self) -> bool:
        return all_passed(self.report.required)

    @property
    def meets_minimum(self) -> bool:
        return all_passed(self.report.minimum)

    @property
    def losses(self) -> dict[str, float]:
        return {}  # clips have no comparison

    def text(self) -> str:
        return report_text(self.report)

    def card_entries(self, command: str) -> dict[str, Any]:
        return card_entries(self.report, command)

    def save_json(self, path: Path) -> None:
        write_json(path, self.report.plain())

    def save(self, folder: Path) -> None:
        """Write report.json, report.txt and strips.png: best, median and worst window, real above imagined."""
        from lingbot_ros.evaluate.strips import Strip, save_strips  # noqa: PLC0415 - matplotlib takes a second

        self.save_json(folder / "report.json")
        write_text(folder / "report.txt", self.text() + "\n")
        order = np.argsort(squared_error(self.imagined, self.real).mean(axis=1), kind="stable")
        chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
        frames = shown_frames(self.report.figures.horizon)
        at, notes = np.array(frames) - 1, [""] * len(frames)
        strips = [
            Strip(f"{name}: {self.titles[n]}", self.real[n, at], self.imagined[n, at], notes)
            for name, n in chosen.items()
        ]
        save_strips(folder / "strips.png", f"{self.report.model['name']}: episodes held back", strips, frames)


def evaluate_clips(
    world: World,
    clips: ClipSet,
    options: EvaluationOptions,
    *,
    metrics: Sequence[Metric] = (),
    required: Limits = no_limits,
    minimum: Limits = no_limits,
    origin: str | None = None,
) -> ClipEvaluation:
    """Measure `world` on at most `options.episodes` held-back windows that do not overlap, drawn by the seed.

    `metrics` are those of the clips' task beside PSNR; `required` and `minimum` what it asks for; `origin` is what the
    report calls the clips, by default their folder. Raises InputError
    when the world does not take these frames and actions, or when there are fewer than two windows.
    """
    if options.other is not None:
        raise InputError("--compare", options.other.info.engine.precision, "leave it out: clips have no comparison")
    _require_fit(world, clips)
    context, horizon = options.context, options.horizon
    chosen = choose_windows(clips, options.episodes, options.seed, context + horizon)
    control = world.info.control
    windows = cut_windows(clips, chosen, context, context + horizon, control.low, control.high)
    # Half way round, so that windows of one episode do not get their neighbour's actions.
    wrong = np.roll(windows.future_actions, len(windows) // 2, axis=0)
    with tqdm(total=2 * len(windows) * horizon, desc="imagining", unit="frame", disable=options.quiet) as bar:
        imagined, frame_s = imagine_windows(world, windows, windows.future_actions, bar)
        shuffled, _ = imagine_windows(world, windows, wrong, bar)
    figures = clip_metrics(windows.future, windows.past[:, -1], imagined, shuffled, metrics)
    report = ClipReport(
        model=describe_model(world),
        data={
            "folder": origin or str(clips.root),
            "source": clips.plan.source,
            "episodes": sorted({int(episode) for episode, _ in chosen}),
            "context": context,
            "horizon": horizon,
            "seed": options.seed,
        },
        machine=describe_machine(),
        figures=figures,
        speed_ms={f"p{p}": round(float(np.percentile(1000 * frame_s, p)), 2) for p in (50, 95)},
        required=required(figures),
        minimum=minimum(figures),
    )
    titles = [f"episode {episode}, frame {start + context}" for episode, start in chosen]
    return ClipEvaluation(report, windows.future, imagined, titles)


def _require_fit(world: World, clips: ClipSet) -> None:
    info, plan = world.info, clips.plan
    takes = f"{info.height}x{info.width} at {info.fps:g} fps, {info.control.kind} of {info.control.dim}"
    has = f"{plan.height}x{plan.width} at {plan.fps:g} fps, action of {plan.dim}"
    if takes != has:
        raise InputError("model", f"{info.name}, {takes}", f"the clips are {has}: give a model trained on such")
