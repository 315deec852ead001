"""A trial of a model on the held-back episodes of a set of clips."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.datasets.limits import clip
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.clip_metrics import own_figures
from lingbot_ros.evaluate.clip_report import OwnReport
from lingbot_ros.evaluate.machine import describe_machine
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.world import World


@dataclass(frozen=True)
class OwnTrial:
    """The report, and what it was made from: uint8 [N, H, h, w, 3]; titles say where each window is from."""

    report: OwnReport
    real: NDArray[np.uint8]
    imagined: NDArray[np.uint8]
    titles: list[str]


def run_trial(
    world: World, clips: ClipSet, count: int, seed: int, context: int, horizon: int, quiet: bool = False
) -> OwnTrial:
    """Try `world` on at most `count` windows of `context` + `horizon` frames that do not overlap, drawn by `seed`.

    Raises InputError when the world does not take these frames and actions, or when there are fewer than two windows.
    """
    for field, value in (("--episodes", count), ("--context", context), ("--horizon", horizon)):
        if value < 1:
            raise InputError(field, value, "give 1 or more")
    _require_fit(world, clips)
    windows = choose_windows(clips, count, seed, context + horizon)
    control = world.info.control
    frames = np.stack([clips.frames(episode)[start : start + context + horizon] for episode, start in windows])
    # In float64: rounding could put a value beyond the limit that it was clipped to.
    actions: NDArray[Any] = np.stack(
        [
            clip(clips.actions[episode][start : start + context + horizon - 1], control.low, control.high)
            for episode, start in windows
        ]
    )
    past, past_actions, future = frames[:, :context], actions[:, : context - 1], actions[:, context - 1 :]
    # Half way round, so that windows of one episode do not get their neighbour's actions.
    wrong = np.roll(future, len(windows) // 2, axis=0)
    with tqdm(total=2 * len(windows), desc="imagining", unit="window", disable=quiet) as bar:
        imagined, chunk_s = _imagine_all(world, past, past_actions, future, bar)
        shuffled, _ = _imagine_all(world, past, past_actions, wrong, bar)
    real = frames[:, context:]
    per_frame = 1000 * chunk_s / world.info.frames_per_chunk
    report = OwnReport(
        model=_describe(world),
        data={
            "folder": str(clips.root),
            "source": clips.plan.source,
            "episodes": sorted({int(episode) for episode, _ in windows}),
            "context": context,
            "horizon": horizon,
            "seed": seed,
        },
        machine=describe_machine(),
        figures=own_figures(real, past[:, -1], imagined, shuffled),
        speed_ms={f"p{p}": round(float(np.percentile(per_frame, p)), 2) for p in (50, 95)},
    )
    titles = [f"episode {episode}, frame {start + context}" for episode, start in windows]
    return OwnTrial(report, real, imagined, titles)


def choose_windows(clips: ClipSet, count: int, seed: int, length: int) -> list[tuple[int, int]]:
    """At most `count` windows (episode, first frame) of held-back episodes, end to end in each, in order.

    Raises InputError for fewer than two: wrong actions are those of another window.
    """
    found = [
        (episode, start)
        for episode in clips.plan.validation
        for start in range(0, clips.plan.steps[episode] + 2 - length, length)
    ]
    if len(found) < 2:
        longest = max(clips.plan.steps[episode] + 1 for episode in clips.plan.validation)
        what = f"{length} frames with the context; {len(found)} such windows in {len(clips.plan.validation)} episodes"
        fix = f"2 are needed and the longest held-back episode has {longest}: give a smaller one, or more data"
        raise InputError("--horizon", what, fix)
    drawn = np.random.default_rng(seed).permutation(len(found))[:count] if count >= 2 else np.arange(2)
    return [found[n] for n in sorted(drawn)]


def _imagine_all(
    world: World,
    past: NDArray[np.uint8],
    past_actions: NDArray[Any],
    actions: NDArray[Any],
    bar: "tqdm[Any]",
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    results = []
    for n in range(len(past)):
        results.append(imagine(world, past[n], past_actions[n], actions[n], seed=n))
        bar.update()
    return np.stack([result.frames for result in results]), np.concatenate([result.chunk_s for result in results])


def _require_fit(world: World, clips: ClipSet) -> None:
    info, plan = world.info, clips.plan
    takes = f"{info.height}x{info.width} at {info.fps:g} fps, {info.control.kind} of {info.control.dim}"
    has = f"{plan.height}x{plan.width} at {plan.fps:g} fps, action of {plan.dim}"
    if takes != has:
        raise InputError("model", f"{info.name}, {takes}", f"the clips are {has}: give a model trained on such")


def _describe(world: World) -> dict[str, Any]:
    return {
        "name": world.info.name,
        "weights_sha256": world.card.weights.sha256,
        "parameters": world.info.parameters,
        **asdict(world.info.engine),
    }
