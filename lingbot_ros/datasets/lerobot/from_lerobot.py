"""A set of clips from a LeRobot data set: one camera, one action."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.layout import ClipPlan
from lingbot_ros.datasets.lerobot.layout import LeRobotEpisode, LeRobotSet
from lingbot_ros.datasets.lerobot.tables import read_columns
from lingbot_ros.datasets.lerobot.video import Film
from lingbot_ros.datasets.plan import PlanOptions, choose_components, cut, make_plan
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError
from lingbot_ros.model.autoencoder import resize_image


@dataclass(frozen=True)
class Part:
    """One episode to be: of which recorded episode, the first of its kept frames, steps."""

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


def survey(recorded: LeRobotSet, every: int, options: PlanOptions) -> LeRobotClips:
    """Plan the set. Row k's action leads from frame k to frame k + 1, so that the last row's is not used."""
    options.check()
    if every < 1:
        raise InputError("--every", every, "give 1 (all frames) or more")
    parts = [
        Part(episode, start, steps)
        for episode in recorded.episodes
        for start, steps in cut((episode.length - 1) // every, options.longest)
    ]
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
    ]
    return LeRobotClips(plan, kept, every, chosen, story)


def write_missing(recorded: LeRobotSet, clips: LeRobotClips, writer: ClipSetWriter) -> Iterator[int]:
    """Write the episodes that are not there yet; yields the steps of each once it is."""
    size = (clips.plan.height, clips.plan.width)
    rows, pictures = EpisodeRows(recorded), _Images(recorded, size)
    for number in writer.missing():
        part = clips.parts[number]
        kept = [clips.every * (part.start + k) for k in range(part.steps + 1)]
        table = rows.of(part.episode)
        actions = action_rows(table[recorded.action_key], recorded, part.episode)[kept[:-1]][:, clips.components]
        writer.write(number, (pictures.take(part.episode, table, row) for row in kept), actions)
        yield part.steps


class EpisodeRows:
    """The rows of an episode in their order; the file that was read last is kept, as v3.0 holds many in one."""

    def __init__(self, recorded: LeRobotSet) -> None:
        images = [recorded.camera] if recorded.camera and recorded.episodes[0].film is None else []
        self._columns = ["episode_index", "frame_index", recorded.action_key, *images]
        self._path: Path | None = None
        self._table: dict[str, list[Any]] = {}
        self._rows: dict[int, list[int]] = {}

    def of(self, episode: LeRobotEpisode) -> dict[str, list[Any]]:
        if episode.data != self._path:
            self._load(episode.data)
        rows = self._rows.get(episode.number, [])
        if len(rows) != episode.length:
            fix = f"the list of episodes says {episode.length}; download the complete set"
            raise InputError(f"{episode.data}, episode {episode.number}", f"{len(rows)} rows", fix)
        return {name: [values[row] for row in rows] for name, values in self._table.items()}

    def _load(self, path: Path) -> None:
        self._table, self._rows, self._path = read_columns(path, self._columns), {}, path
        order = self._table["frame_index"]
        for row in sorted(range(len(order)), key=lambda row: order[row]):
            self._rows.setdefault(self._table["episode_index"][row], []).append(row)


class _Images:
    """Frames at the size of the set; the film that was opened last stays open."""

    def __init__(self, recorded: LeRobotSet, size: tuple[int, int]) -> None:
        self._camera, self._size = recorded.camera, size
        self._film: Film | None = None

    def take(self, episode: LeRobotEpisode, table: dict[str, list[Any]], row: int) -> NDArray[np.uint8]:
        if episode.film is None:
            return resize_image(_decode(table[self._camera][row], episode, row), *self._size)
        if self._film is None or self._film.path != episode.film:
            if self._film is not None:
                self._film.close()
            self._film = Film(episode.film)
        return resize_image(self._film.frame(episode.first_frame + row), *self._size)


def _decode(cell: Any, episode: LeRobotEpisode, row: int) -> NDArray[np.uint8]:
    data = cell.get("bytes") if isinstance(cell, dict) else None
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if bgr is None:
        where = f"{episode.data}, episode {episode.number}, frame {row}"
        raise InputError(where, "no image", "give a set with its images in its tables or in videos")
    return np.asarray(bgr[:, :, ::-1], np.uint8)


def action_rows(values: list[Any], recorded: LeRobotSet, episode: LeRobotEpisode) -> NDArray[np.float32]:
    """float32 [rows, dim]; a set with one component may hold plain numbers."""
    try:
        return np.array(values, np.float32).reshape(len(values), len(recorded.action_names))
    except (TypeError, ValueError) as error:
        what = f"{len(recorded.action_names)} components in info.json"
        raise InputError(f"{episode.data}, {recorded.action_key}", what, f"its rows hold others ({error})") from error
