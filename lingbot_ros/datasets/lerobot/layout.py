"""What a LeRobot data set of format v2.0, v2.1 or v3.0 says about itself: meta/info.json and its list of episodes.

v2.x: one parquet file and one film per episode and camera; meta/episodes.jsonl lists them.
v3.0: many episodes in one file; meta/episodes/*/*.parquet says in which, and when in the film each begins.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingbot_ros.datasets.lerobot.tables import read_columns
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.regular import read_text

VERSIONS = ("v2.0", "v2.1", "v3.0")
_LIST_BYTES = 2**28


@dataclass(frozen=True)
class LeRobotEpisode:
    """number; rows in `data`; film, or None where images are in `data`; when in the film it begins, in s."""

    number: int
    length: int
    data: Path
    film: Path | None
    film_start_s: float


@dataclass(frozen=True)
class LeRobotSet:
    """A data set as one camera saw it; camera is "" where it is read without images.

    action_names: one per component. action_key, camera: names of features.
    """

    root: Path
    version: str
    fps: float
    camera: str
    action_key: str
    action_names: tuple[str, ...]
    episodes: tuple[LeRobotEpisode, ...]


def open_set(root: Path, camera: str | None, action_key: str = "action") -> LeRobotSet:
    """Read what there is. `camera` may be None where there is only one. Raises InputError for what does not fit."""
    info = _read_checked(root)
    key = _choose_camera(info["features"], camera)
    return _open(root, info, key, info["features"][key]["dtype"] == "video", action_key)


def open_actions(root: Path, action_key: str = "action") -> LeRobotSet:
    """The set without its images, of which there may be none or several. Raises InputError for what does not fit."""
    return _open(root, _read_checked(root), "", False, action_key)


def _read_checked(root: Path) -> dict[str, Any]:
    info = _read_info(root)
    version = info.get("codebase_version")
    if version not in VERSIONS:
        fix = f"give a set of format {', '.join(VERSIONS)}; LeRobot's own tools convert others"
        raise InputError("LeRobot data", f"{root}, codebase_version {version!r}", fix)
    features = info.get("features")
    listed = isinstance(features, dict) and all(isinstance(feature, dict) for feature in features.values())
    if not listed or not _is_rate(info.get("fps")):
        raise InputError(
            "LeRobot data", root / "meta" / "info.json", "it has no features and fps; download the file again"
        )
    return info


def _open(root: Path, info: dict[str, Any], camera: str, is_film: bool, action_key: str) -> LeRobotSet:
    version, features = str(info["codebase_version"]), info["features"]
    if action_key not in features:
        raise InputError("--action", action_key, f"the set has {', '.join(features)}")
    episodes = _episodes_v3 if version == "v3.0" else _episodes_v2
    try:
        found = episodes(root, info, camera if is_film else None)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise InputError("LeRobot data", root / "meta", f"it is not of format {version} ({error!r})") from error
    if not found:
        raise InputError("LeRobot data", root, "it lists no episodes")
    names = action_names(features[action_key])
    return LeRobotSet(root, version, float(info["fps"]), camera, action_key, names, tuple(found))


def action_names(feature: dict[str, Any]) -> tuple[str, ...]:
    """A name for each component: those that the feature lists, in whichever way, or a0, a1, ..."""
    shape = feature.get("shape") or [1]
    listed = _flat(feature.get("names"))
    fits = len(listed) == shape[0] and len(set(listed)) == len(listed)
    return tuple(listed) if fits else tuple(f"a{n}" for n in range(shape[0]))


def _is_rate(fps: Any) -> bool:
    return isinstance(fps, int | float) and not isinstance(fps, bool) and 0 < fps < float("inf")


def _flat(names: Any) -> list[str]:
    if isinstance(names, dict):
        return [name for part in names.values() for name in _flat(part)]
    if isinstance(names, list):
        return [name for part in names for name in _flat(part)]
    return [names] if isinstance(names, str) else []


def _read_info(root: Path) -> dict[str, Any]:
    try:
        info = json.loads(read_text(root / "meta" / "info.json", "LeRobot data", _LIST_BYTES))
    except (InputError, ValueError, RecursionError) as error:
        raise InputError("LeRobot data", root, f"give a folder with meta/info.json ({error})") from error
    return info if isinstance(info, dict) else {}


def _choose_camera(features: dict[str, Any], camera: str | None) -> str:
    cameras = [name for name, feature in features.items() if feature.get("dtype") in ("video", "image")]
    if camera is None and len(cameras) == 1:
        return cameras[0]
    if camera is None or camera not in cameras:
        raise InputError(
            "--camera", camera, f"give one of {', '.join(cameras) or 'none, because the set has no images'}"
        )
    return camera


def _episodes_v2(root: Path, info: dict[str, Any], film_key: str | None) -> Sequence[LeRobotEpisode]:
    lines = read_text(root / "meta" / "episodes.jsonl", "LeRobot data", _LIST_BYTES).splitlines()
    listed = [json.loads(line) for line in lines if line.strip()]
    found = []
    for number, length in sorted((int(entry["episode_index"]), int(entry["length"])) for entry in listed):
        place = {"episode_chunk": number // int(info["chunks_size"]), "episode_index": number}
        film = None if film_key is None else root / info["video_path"].format(video_key=film_key, **place)
        found.append(LeRobotEpisode(number, length, root / info["data_path"].format(**place), film, 0.0))
    return found


def _episodes_v3(root: Path, info: dict[str, Any], film_key: str | None) -> Sequence[LeRobotEpisode]:
    own = ["episode_index", "length", "data/chunk_index", "data/file_index"]
    in_film = [f"videos/{film_key}/{name}" for name in ("chunk_index", "file_index", "from_timestamp")]
    found = []
    for file in sorted((root / "meta" / "episodes").glob("*/*.parquet")):
        columns = read_columns(file, own + in_film if film_key is not None else own)
        for number, length, chunk, part, *film in zip(*columns.values(), strict=True):
            data = root / info["data_path"].format(chunk_index=chunk, file_index=part)
            path, start_s = None, 0.0
            if film_key is not None:
                path = root / info["video_path"].format(video_key=film_key, chunk_index=film[0], file_index=film[1])
                start_s = float(film[2])
            found.append(LeRobotEpisode(int(number), int(length), data, path, start_s))
    return sorted(found, key=lambda episode: episode.number)
