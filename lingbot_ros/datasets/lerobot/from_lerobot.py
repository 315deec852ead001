"""A set of clips from a LeRobot data set: one camera, one action."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.layout import ClipPlan
from lingbot_ros.datasets.left_out import BAD_SHARE, LeftOut, check_share
from lingbot_ros.datasets.lerobot.layout import LeRobotEpisode, LeRobotSet
from lingbot_ros.datasets.lerobot.rows import EpisodeRows, RowReader, count_faults
from lingbot_ros.datasets.plan import PlanOptions, choose_components, cut, make_plan
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.encoded_image import decode_image
from lingbot_ros.model.autoencoder import resize_image


@dataclass(frozen=True)
class Part:
    """One episode to be: of which recorded episode, the row of its first frame, steps."""

    episode: LeRobotEpisode
    start: int
    steps: int


@dataclass(frozen=True)
class LeRobotClips:
    """What a data set will become. every: of the recorded frames each `every`-th is kept, with its own action."""

    plan: ClipPlan
    parts: list[Part]
    every: int
    components: list[int]
    story: list[str]


def survey(recorded: LeRobotSet, every: int, options: PlanOptions, bad_share: float = BAD_SHARE) -> LeRobotClips:
    """Plan the set. Row k's action leads from frame k to frame k + 1, so that the last row's is not used.

    Rows that cannot be used, or that do not follow one another, end an episode. Raises InputError where they are more
    than `bad_share` of all.
    """
    options.check()
    check_share(bad_share)
    if every < 1:
        raise InputError("--every", every, "give 1 (all frames) or more")
    rows, left_out, parts = RowReader(recorded), LeftOut(str(recorded.root), "rows"), []
    for episode in recorded.episodes:
        found = rows.of(episode)
        count_faults(found, left_out)
        parts += [
            Part(episode, first + every * start, steps)
            for first, length in found.runs()
            for start, steps in cut((length - 1) // every, options.longest)
        ]
    left_out.check(sum(episode.length for episode in recorded.episodes), bad_share)
    kept = [part for part in parts if part.steps >= options.shortest]
    if not kept:
        what = f"{len(recorded.episodes)} episodes, the longest of {max(e.length for e in recorded.episodes)} frames"
        raise InputError("LeRobot data", what, f"none has {options.shortest} steps; lower --shortest or --every")
    chosen = choose_components(recorded.action_names, options.components)
    source = {
        "type": "lerobot",
        "name": recorded.root.resolve().name,
        "version": recorded.version,
        "camera": recorded.camera,
        "action": recorded.action_key,
        "every": every,
        "parts": [[part.episode.number, part.start] for part in kept],
    }
    names = [recorded.action_names[n] for n in chosen]
    plan = make_plan(source, recorded.fps / every, names, [part.steps for part in kept], options)
    story = [
        f"LeRobot {recorded.version}, {recorded.camera}: {len(recorded.episodes)} recorded episodes at "
        f"{recorded.fps:g} frames per second; {recorded.action_key}: {', '.join(recorded.action_names)}",
        f"{len(kept)} episodes, {sum(plan.steps)} steps at {plan.fps:g} frames per second; left out: "
        f"{len(parts) - len(kept)} parts shorter than {options.shortest} steps",
        *left_out.story(),
    ]
    return LeRobotClips(plan, kept, every, chosen, story)


def write_missing(recorded: LeRobotSet, clips: LeRobotClips, writer: ClipSetWriter) -> Iterator[int]:
    """Write the episodes that are not there yet; yields the steps of each once it is."""
    size, reader = (clips.plan.height, clips.plan.width), RowReader(recorded)
    for number in writer.missing():
        part = clips.parts[number]
        kept = [part.start + clips.every * k for k in range(part.steps + 1)]
        rows = reader.of(part.episode)
        frames = (resize_image(_image(reader, part.episode, rows, row), *size) for row in kept)
        writer.write(number, frames, rows.actions[kept[:-1]][:, clips.components])
        yield part.steps


def _image(reader: RowReader, episode: LeRobotEpisode, rows: EpisodeRows, row: int) -> NDArray[np.uint8]:
    if episode.film is not None:
        return reader.film(episode.film).frame(int(rows.frames[row]))
    return decode_image(rows.images[row] or b"", f"{episode.data}, episode {episode.number}, row {row}")
