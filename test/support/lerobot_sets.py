"""LeRobot data sets of formats v2.0, v2.1 and v3.0, written by their documented layout. Needs pyarrow and PyAV."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import parquet

CAMERA = "observation.images.top"
LENGTHS = (13, 9, 21)
SIZE, FPS = 32, 20


def picture(episode: int, k: int) -> NDArray[np.uint8]:
    """Large areas of one grey, which films keep: which episode above, which frame below; the right quarter is red."""
    frame = np.zeros((SIZE, SIZE, 3), np.uint8)
    frame[: SIZE // 2], frame[SIZE // 2 :] = 60 * episode + 40, 10 * k + 20
    frame[:, -SIZE // 4 :] = 220, 20, 20
    return frame


def action(episode: int, k: int) -> list[float]:
    return [float(episode), float(k)]


def write_film(path: Path, frames: Iterator[NDArray[np.uint8]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (SIZE, SIZE))
    for frame in frames:
        film.write(frame[:, :, ::-1])
    film.release()


def write_timed_film(path: Path, frames: list[tuple[NDArray[np.uint8], int]]) -> None:
    """Each frame with when it is shown, in frames from the start of the film."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=FPS, options={"g": "10"})
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        stream.codec_context.time_base = Fraction(1, FPS)
        for rgb, at in frames:
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, FPS)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def write_table(path: Path, columns: dict[str, list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.table(columns), path)


def read_table(path: Path) -> dict[str, list[Any]]:
    return dict(parquet.read_table(path).to_pydict())


def rows(episodes: list[int], first: int = 0) -> dict[str, list[Any]]:
    owners = [(episode, k) for episode in episodes for k in range(LENGTHS[episode])]
    return {
        "action": [action(episode, k) for episode, k in owners],
        "timestamp": [k / FPS for _, k in owners],
        "frame_index": [k for _, k in owners],
        "episode_index": [episode for episode, _ in owners],
        "index": list(range(first, first + len(owners))),
        "task_index": [0] * len(owners),
    }


def write_info(root: Path, version: str, **more: Any) -> None:
    info = {
        "codebase_version": version,
        "robot_type": "test",
        "total_episodes": len(LENGTHS),
        "total_frames": sum(LENGTHS),
        "chunks_size": 2 if version.startswith("v2") else 1000,
        "fps": FPS,
        "features": {
            CAMERA: {"dtype": "video", "shape": [SIZE, SIZE, 3], "names": ["height", "width", "channels"]},
            "action": {"dtype": "float32", "shape": [2], "names": {"motors": ["pan", "lift"]}},
            "timestamp": {"dtype": "float32", "shape": [1], "names": None},
        },
        **more,
    }
    (root / "meta").mkdir(parents=True, exist_ok=True)
    (root / "meta" / "info.json").write_text(json.dumps(info))


def write_v2(root: Path) -> Path:
    """One table and one film for each episode, two episodes in a chunk."""
    place = "chunk-{episode_chunk:03d}"
    write_info(
        root,
        "v2.1",
        data_path=f"data/{place}/episode_{{episode_index:06d}}.parquet",
        video_path=f"videos/{place}/{{video_key}}/episode_{{episode_index:06d}}.mp4",
    )
    lines = [json.dumps({"episode_index": n, "tasks": ["t"], "length": length}) for n, length in enumerate(LENGTHS)]
    (root / "meta" / "episodes.jsonl").write_text("\n".join(lines) + "\n")
    for n, length in enumerate(LENGTHS):
        name = f"chunk-{n // 2:03d}"
        write_table(root / "data" / name / f"episode_{n:06d}.parquet", rows([n]))
        write_film(root / "videos" / name / CAMERA / f"episode_{n:06d}.mp4", (picture(n, k) for k in range(length)))
    return root


def write_v3(root: Path) -> Path:
    """All rows in one file, the first two episodes in one film."""
    place = "chunk-{chunk_index:03d}/file-{file_index:03d}"
    write_info(root, "v3.0", data_path=f"data/{place}.parquet", video_path=f"videos/{{video_key}}/{place}.mp4")
    write_table(root / "data" / "chunk-000" / "file-000.parquet", rows([0, 1, 2]))
    films = root / "videos" / CAMERA / "chunk-000"
    write_film(films / "file-000.mp4", (picture(n, k) for n in (0, 1) for k in range(LENGTHS[n])))
    write_film(films / "file-001.mp4", (picture(2, k) for k in range(LENGTHS[2])))
    ends = np.cumsum(LENGTHS).tolist()
    write_table(
        root / "meta" / "episodes" / "chunk-000" / "file-000.parquet",
        {
            "episode_index": [0, 1, 2],
            "length": list(LENGTHS),
            "data/chunk_index": [0, 0, 0],
            "data/file_index": [0, 0, 0],
            "dataset_from_index": [0, *ends[:-1]],
            "dataset_to_index": ends,
            f"videos/{CAMERA}/chunk_index": [0, 0, 0],
            f"videos/{CAMERA}/file_index": [0, 0, 1],
            f"videos/{CAMERA}/from_timestamp": [0.0, LENGTHS[0] / FPS, 0.0],
            f"videos/{CAMERA}/to_timestamp": [LENGTHS[0] / FPS, ends[1] / FPS, LENGTHS[2] / FPS],
        },
    )
    return root


def write_v2_images(root: Path) -> Path:
    """Version 2.0, the images inside the tables."""
    write_v2(root)
    info = json.loads((root / "meta" / "info.json").read_text())
    info["features"][CAMERA]["dtype"] = "image"
    write_info(root, "v2.0", **{k: v for k, v in info.items() if k not in ("codebase_version", "video_path")})
    for n, length in enumerate(LENGTHS):
        cells = [
            {"bytes": cv2.imencode(".png", picture(n, k)[:, :, ::-1])[1].tobytes(), "path": f"{k}.png"}
            for k in range(length)
        ]
        write_table(root / "data" / f"chunk-{n // 2:03d}" / f"episode_{n:06d}.parquet", {**rows([n]), CAMERA: cells})
    return root
