"""The evaluation of a camera world of rooms: held-out drives, poses read off its images, revisits, the report."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.evaluation import EvaluationOptions
from lingbot_ros.evaluate.machine import describe_model
from lingbot_ros.evaluate.report_files import write_json, write_text
from lingbot_ros.tasks.rooms.dataset.episode import Episode
from lingbot_ros.tasks.rooms.report.baselines import TrueScene
from lingbot_ros.tasks.rooms.report.drives import FPS, REVISIT_FRAMES, held_out_drives, revisits
from lingbot_ros.tasks.rooms.report.fidelity import DriveFidelity, drive_fidelity, summarise_fidelity
from lingbot_ros.tasks.rooms.report.measure import Measures, imagine_drive
from lingbot_ros.tasks.rooms.report.pose_reader import PoseReader, path_lengths, pose_errors
from lingbot_ros.tasks.rooms.report.report import (
    FRAMES,
    RoomsReport,
    Speed,
    card_entries,
    check_minimum,
    summarise_measures,
    summarise_revisits,
    trusted_frames,
)
from lingbot_ros.tasks.rooms.report.revisit import revisit
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer
from lingbot_ros.world import World

_REVISIT_SHARE = 0.1
"""Of the drives; at least one."""
_POSE_PIXELS = 1500
"""So many pixels in view the pose is read off at least, and the path is this long."""
_POSE_PATH_M = 0.2


@dataclass(frozen=True)
class Shown:
    """A drive for a strip: real and imagined uint8 [H, h, w, 3], and where it was."""

    seed: int
    real: NDArray[np.uint8]
    imagined: NDArray[np.uint8]
    psnr_db: float


@dataclass(frozen=True)
class RoomsEvaluation:
    """See `evaluate.evaluation.Evaluation`."""

    report: RoomsReport
    shown: tuple[Shown, ...]

    @property
    def meets_required(self) -> bool:
        """Nothing is required beyond the minimum."""
        return True

    @property
    def meets_minimum(self) -> bool:
        return self.report.meets_minimum

    @property
    def losses(self) -> dict[str, float]:
        return {}  # one precision, nothing to compare

    def text(self) -> str:
        return self.report.text()

    def card_entries(self, command: str) -> dict[str, Any]:
        return card_entries(self.report, command)

    def save_json(self, path: Path) -> None:
        write_json(path, self.report.plain())

    def save(self, folder: Path) -> None:
        """Write report.json, report.txt and strips.png (best, median and worst drive)."""
        from lingbot_ros.evaluate.strips import Strip, save_strips  # noqa: PLC0415 - matplotlib takes a second

        write_json(folder / "report.json", self.report.plain())
        write_text(folder / "report.txt", self.report.text() + "\n")
        order = sorted(self.shown, key=lambda one: -one.psnr_db)
        at = np.array(self.report.frames) - 1
        strips = [
            Strip(
                f"{name} of {len(order)} drives (house {one.seed})",
                one.real[at],
                one.imagined[at],
                [""] * len(at),
                source="MiniWorld",
            )
            for name, one in (("best", order[0]), ("median", order[len(order) // 2]), ("worst", order[-1]))
        ]
        heading = (
            f"{self.report.model['name']}: open loop from {self.report.drives['context']} real frames, then poses alone"
        )
        save_strips(folder / "strips.png", heading, strips, self.report.frames)


def evaluate(world: World, options: EvaluationOptions) -> RoomsEvaluation:
    """Measure `world` on one drive through each of `options.episodes` test houses. Raises InputError."""
    _require_camera(world, options)
    renderer = HouseRenderer(world.info.height)
    reader = PoseReader(renderer)
    frames = tuple(frame for frame in FRAMES if frame <= options.horizon)
    measures, shown, told = Measures(frames), [], list[DriveFidelity]()
    drives = held_out_drives(renderer, options.episodes, options.seed, options.context + options.horizon)
    for episode in tqdm(drives, total=options.episodes, desc="driving", unit="drive", disable=options.quiet):
        figures, imagined = imagine_drive(world, episode, options.context, frames)
        poses = _pose_figures(reader, episode, imagined, options.context, frames)
        measures.add([one | pose for one, pose in zip(figures, poses, strict=True)])
        real = episode.frames[options.context :]
        told.append(drive_fidelity(episode, imagined, options.context))
        shown.append(Shown(episode.house.seed, real, imagined, figures[-1]["imagined.psnr_db"]))
    figures_of_all = summarise_measures(measures)
    count = max(1, round(_REVISIT_SHARE * options.episodes))
    trips = tqdm(revisits(renderer, count, options.seed), total=count, desc="away and back", disable=options.quiet)
    back = summarise_revisits([revisit(world, episode, options.context) for episode in trips])
    speed = _speed(world, renderer, options)
    about = {"count": options.episodes, "seed": options.seed, "context": options.context, "horizon": options.horizon}
    report = RoomsReport(
        model=describe_model(world),
        drives=about | {"fps": FPS, "revisit_frames": 2 * REVISIT_FRAMES},
        frames=frames,
        figures=figures_of_all,
        revisit=back,
        speed=speed,
        minimum=check_minimum(frames, figures_of_all, back, speed),
        max_horizon=trusted_frames(frames, figures_of_all),
        fidelity=summarise_fidelity(told),
    )
    return RoomsEvaluation(report, tuple(shown))


def _pose_figures(
    reader: PoseReader, episode: Episode, imagined: NDArray[np.uint8], context: int, frames: tuple[int, ...]
) -> list[dict[str, float]]:
    """Yaw and position errors of imagined and real frames, where enough is in view and something has moved."""
    truth, lengths, found = TrueScene(episode, context), list(path_lengths(episode.drive, context)), []
    for frame in frames:
        at, nothing = context - 1 + frame, float("nan")
        in_view = truth.in_view(at)
        figures = {
            f"{who}.{what}": nothing
            for who in ("imagined", "real")
            for what in ("yaw_pose_deg", "position_pose_m", "position_pose_share")
        }
        if (
            frame in (1, 16, 64)
            and in_view.sum() >= _POSE_PIXELS
            and lengths[frame - 1] >= _POSE_PATH_M * min(1, frame / 16)
        ):
            for who, image in (("imagined", imagined[frame - 1]), ("real", episode.frames[at])):
                yaw, metres = pose_errors(reader.read(image, episode.drive[at], in_view), episode.drive[at])
                share = metres / max(lengths[frame - 1], 1e-6)
                read = {"yaw_pose_deg": yaw, "position_pose_m": metres, "position_pose_share": share}
                figures |= {f"{who}.{name}": value for name, value in read.items()}
        found.append(figures)
    return found


def _speed(world: World, renderer: HouseRenderer, options: EvaluationOptions) -> Speed:
    """One more drive on one thread, timed frame by frame."""
    single = world if options.load is None else options.load(1)
    episode = next(iter(revisits(renderer, 1, options.seed)))
    session = single.start(episode.frames[0], intrinsics=episode.intrinsics)
    clock, processor = [], []
    for pose in episode.poses[:REVISIT_FRAMES]:
        wall, cpu = time.perf_counter(), time.process_time()
        session.step(pose[None])
        clock.append(time.perf_counter() - wall)
        processor.append(time.process_time() - cpu)
    session.close()
    values = [np.percentile(times, q) * 1e3 for times in (clock, processor) for q in (50, 95)]
    return Speed(*(float(value) for value in values))


def _require_camera(world: World, options: EvaluationOptions) -> None:
    info = world.info
    if info.control.kind != "camera" or info.height != info.width or info.frames_per_chunk != 1:
        what = f"{info.name}, {info.control.kind}, {info.height}x{info.width}, {info.frames_per_chunk} frames a chunk"
        raise InputError("model", what, "give a camera model of square images that makes one frame at a time")
    if options.other is not None:
        raise InputError("--compare", "another precision", f"leave it out: {info.name} has one precision")
