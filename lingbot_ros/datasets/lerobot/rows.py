"""The rows of the episodes of a LeRobot data set, and which of them follow one another without a fault."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.left_out import LeftOut
from lingbot_ros.datasets.lerobot.layout import LeRobotEpisode, LeRobotSet
from lingbot_ros.datasets.lerobot.tables import read_columns
from lingbot_ros.datasets.lerobot.video import Film
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.encoded_image import check_encoded


@dataclass(frozen=True)
class EpisodeRows:
    """The rows of an episode by frame_index. actions: float32 [N, dim], NaN where a row has none.

    images: an encoded image for each row, where they stand in the table. frames: the number of each row's frame in the
    film, -1 where it has none.
    """

    actions: NDArray[np.float32]
    images: list[bytes | None]
    frames: NDArray[np.int64]
    faults: dict[int, InputError]
    gaps: dict[int, InputError]

    def runs(self) -> list[tuple[int, int]]:
        """(first row, rows) of the stretches without a fault; a new one begins at each gap."""
        found: list[tuple[int, int]] = []
        for row in range(len(self.actions)):
            if row in self.faults:
                continue
            if found and sum(found[-1]) == row and row not in self.gaps:
                found[-1] = found[-1][0], found[-1][1] + 1
            else:
                found.append((row, 1))
        return found


class RowReader:
    """Reads episodes; the table and the film that were read last are kept, as v3.0 holds many episodes in one."""

    def __init__(self, recorded: LeRobotSet) -> None:
        self._set = recorded
        self._in_table = bool(recorded.camera) and recorded.episodes[0].film is None
        own = ["episode_index", "frame_index", "timestamp", recorded.action_key]
        self._columns = [*own, recorded.camera] if self._in_table else own
        self._path: Path | None = None
        self._table: dict[str, list[Any]] = {}
        self._rows: dict[int, list[int]] = {}
        self._film: Film | None = None

    def film(self, path: Path) -> Film:
        if self._film is None or self._film.path != path:
            if self._film is not None:
                self._film.close()
            self._film = None
            self._film = Film(path)
        return self._film

    def of(self, episode: LeRobotEpisode) -> EpisodeRows:
        """Raises InputError for an episode whose table or film is missing altogether."""
        if episode.data != self._path:
            self._load(episode.data)
        rows = self._rows.get(episode.number, [])
        where = f"{episode.data}, episode {episode.number}"
        if not rows or len(rows) > episode.length:
            fix = f"the list of episodes says {episode.length}; download the complete set"
            raise InputError(where, f"{len(rows)} rows", fix)
        table = {name: [values[row] for row in rows] for name, values in self._table.items()}
        faults: dict[int, InputError] = {}
        actions = np.full((len(rows), len(self._set.action_names)), np.nan, np.float32)
        images: list[bytes | None] = [None] * len(rows)
        frames = np.full(len(rows), -1, np.int64)
        for row in range(len(rows)):
            try:
                time_s = self._time_of(table, row, where)
                actions[row] = self._action(table[self._set.action_key][row], f"{where}, row {row}")
                if self._in_table:
                    images[row] = _encoded(table[self._set.camera][row], f"{where}, row {row}")
                elif episode.film is not None:
                    frames[row] = self._frame(episode, episode.film, time_s)
            except InputError as error:
                faults[row] = error
        return EpisodeRows(actions, images, frames, faults, dict(self._gaps(table, episode, where)))

    def _load(self, path: Path) -> None:
        self._table, self._rows, self._path = read_columns(path, self._columns), {}, path
        order, owners = self._table["frame_index"], self._table["episode_index"]
        known = [row for row in range(len(order)) if order[row] is not None and owners[row] is not None]
        for row in sorted(known, key=lambda row: order[row]):
            self._rows.setdefault(int(owners[row]), []).append(row)

    def _time_of(self, table: dict[str, list[Any]], row: int, where: str) -> float:
        """When a row was recorded, in s from the start of its episode."""
        index, stamp = table["frame_index"][row], table["timestamp"][row]
        expected = index / self._set.fps
        if stamp is None or not abs(stamp - expected) <= 0.5 / self._set.fps:
            fix = f"frame {index} at {self._set.fps:g} frames per second is at {expected:.3f} s"
            raise InputError(f"{where}, row {row}, timestamp", stamp, fix)
        return float(stamp)

    def _action(self, value: Any, where: str) -> NDArray[np.float32]:
        dim = len(self._set.action_names)
        try:
            action = np.array(value, np.float32).reshape(-1)
        except (TypeError, ValueError):
            action = np.zeros(0, np.float32)
        if len(action) != dim or not np.isfinite(action).all():
            raise InputError(f"{where}, {self._set.action_key}", value, f"give {dim} finite numbers, as info.json says")
        return action

    def _frame(self, episode: LeRobotEpisode, film: Path, time_s: float) -> int:
        number = self.film(film).nearest(episode.film_start_s + time_s, 0.5 / self._set.fps)
        if number is None:
            at = f"{episode.film_start_s + time_s:.3f} s"
            fix = f"it shows no frame within half a frame of that time, {time_s:.3f} s into episode {episode.number}"
            raise InputError("video", f"{film}, {at}", fix)
        return number

    def _gaps(
        self, table: dict[str, list[Any]], episode: LeRobotEpisode, where: str
    ) -> Iterator[tuple[int, InputError]]:
        indices = [-1, *map(int, table["frame_index"]), episode.length]
        for row, (before, after) in enumerate(pairwise(indices)):
            if after != before + 1:
                what = f"{before} then {after}" if before >= 0 else f"{after} first"
                yield row, InputError(f"{where}, frame_index", what, "rows are missing, repeated or out of place")


def count_faults(rows: EpisodeRows, left_out: LeftOut) -> None:
    """Add what is wrong in an episode, in order."""
    for _, fault in sorted((*rows.faults.items(), *rows.gaps.items()), key=lambda item: item[0]):
        left_out.add(fault)


def _encoded(cell: Any, where: str) -> bytes:
    data = cell.get("bytes") if isinstance(cell, dict) else None
    if not isinstance(data, bytes):
        raise InputError(where, "no image", "give a set with its images in its tables or in videos")
    check_encoded(data, where)
    return data
