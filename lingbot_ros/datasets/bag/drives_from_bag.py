"""A set of drives from an image topic and the camera's poses in a bag."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.camera import DEPTH_TYPES, depth_fault, depth_of, find_intrinsics
from lingbot_ros.datasets.bag.images import IMAGE_TYPES, Images, decoded, image_fault
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.pose_chain import Matrix, PoseChain
from lingbot_ros.datasets.bag.poses import PoseOptions, find_poses
from lingbot_ros.datasets.bag.resample import image_rate, on_grid
from lingbot_ros.datasets.bag.stamps import StampColumn, choose_stamps, takes
from lingbot_ros.datasets.drives.layout import DrivePlan
from lingbot_ros.datasets.drives.parallax import parallax
from lingbot_ros.datasets.drives.writer import Drive, DriveSetWriter
from lingbot_ros.datasets.left_out import BAD_SHARE, LeftOut, check_share
from lingbot_ros.datasets.plan import PlanOptions, split
from lingbot_ros.errors import InputError
from lingbot_ros.model.scene.depth_network import MULTIPLE

_MOST_TURN_RAD_S = 2 * np.pi
_DEPTH_LATE = 0.25
"""A depth image belongs to the image that it is this near to, in frame periods."""


@dataclass(frozen=True)
class DriveTopics:
    """What of a bag is used. camera_info: None: beside the images. depth: None: there is none. stamps: see `stamps`.

    camera_frame: the optical frame of the images, instead of the one in their headers. rectified: P of the CameraInfo
    made the images. bad_share: of a topic's messages so many may be unusable.
    """

    images: str
    poses: PoseOptions
    camera_info: str | None = None
    depth: str | None = None
    camera_frame: str = ""
    rectified: bool = False
    stamps: str = "auto"
    bad_share: float = BAD_SHARE


@dataclass(frozen=True)
class DriveTiming:
    """Frames per second, and in seconds: where two images are farther apart a drive ends; poses are interpolated over
    so much at most; what is added to an image's stamp when its pose is looked for. fastest: m/s, above is a jump."""

    rate: float
    image_gap: float
    pose_gap: float = 0.2
    pose_offset: float = 0.0
    fastest: float = 5.0


@dataclass(frozen=True)
class Stretch:
    """One drive: numbers of its images and of their depth images, -1 for none, int64 [T]; poses [T, 4, 4]."""

    images: NDArray[np.int64]
    depths: NDArray[np.int64]
    poses: Matrix


@dataclass(frozen=True)
class BagDrives:
    """What a bag will become. story: lines for a person that say what was found and what was left out."""

    plan: DrivePlan
    stretches: list[Stretch]
    intrinsics: NDArray[np.float64]
    image_types: tuple[str, ...]
    story: list[str]


@dataclass
class _Topic:
    """The messages of an image topic. good: which can be used."""

    column: StampColumn
    kinds: tuple[str, ...]
    good: list[bool] = field(default_factory=list)


def survey(bag: Bag, topics: DriveTopics, timing: DriveTiming, options: PlanOptions) -> BagDrives:
    """Read stamps and poses, look at every image, and match them. Raises InputError that says what does not fit."""
    options.check()
    check_share(topics.bad_share)
    if any(side % MULTIPLE for side in options.size):
        size = f"{options.size[0]}x{options.size[1]}"
        raise InputError("--size", size, f"give multiples of {MULTIPLE}, which the network of depth needs")
    left_out = [LeftOut(topics.images, "images"), LeftOut(topics.poses.source, "poses")]
    pictures, shown, frame = _look_at_images(bag, topics, left_out[0])
    info, intrinsics = find_intrinsics(bag, topics.camera_info, topics.images, shown, options.size, topics.rectified)
    chain = find_poses(bag, topics.poses, topics.camera_frame or frame, left_out[1])
    depths = None
    if topics.depth is not None:
        left_out.append(LeftOut(topics.depth, "depth images"))
        depths = _look_at_depth(bag, topics.depth, shown, left_out[2])
    columns = [pictures.column, *([depths.column] if depths else []), *chain.columns]
    kind = choose_stamps(topics.stamps, *columns)
    take_of = takes(columns)
    pose_takes = take_of[len(columns) - len(chain.columns) :]
    image_ns = pictures.column.stamps(kind)
    image_rate([np.sort(image_ns[take_of[0] == take]) for take in np.unique(take_of[0])], timing.rate)
    total_poses = sum(len(column) for column in chain.columns)

    found, unplaced = list[Stretch](), 0
    for take in range(1 + max((int(n.max()) for n in take_of if len(n)), default=0)):
        numbers = np.flatnonzero(take_of[0] == take)
        numbers = numbers[np.argsort(image_ns[numbers], kind="stable")]
        numbers = numbers[np.array(pictures.good, bool)[numbers]]
        wanted = image_ns[numbers] + round(timing.pose_offset * 1e9)
        poses, known = chain.at(wanted, kind, pose_takes, take, round(timing.pose_gap * 1e9))
        unplaced += int((~known).sum())
        jumps = _jumps(image_ns[numbers], poses, known, timing, left_out[1])
        ends = (np.diff(image_ns[numbers]) > round(timing.image_gap * 1e9)) | (np.diff(known) != 0) | jumps
        bad_between = np.diff(np.cumsum(~np.array(pictures.good, bool))[numbers]) != 0
        for part in np.split(np.arange(len(numbers)), np.flatnonzero(ends | bad_between) + 1):
            if not len(part) or not known[part[0]]:
                continue
            chosen = part[on_grid(image_ns[numbers[part]], 1e9 / timing.rate)]
            found.append(Stretch(numbers[chosen], np.full(len(chosen), -1), poses[chosen]))
    if not found:
        raise _no_pose(image_ns, chain, kind)
    left_out[1].check(max(total_poses, len(pictures.good)), topics.bad_share)
    if depths is not None:
        left_out[2].check(len(depths.good), topics.bad_share)
        found = [_with_depth(one, image_ns, depths, kind, timing) for one in found]
    stretches, short, still = _cut(found, options, timing.rate)
    if not stretches:
        raise _nothing_left(found, still, options)
    plan = DrivePlan(
        source={
            "type": "bag",
            "bag": bag.path.name,
            "images": topics.images,
            "camera_info": info,
            "depth": topics.depth,
            "poses": asdict(topics.poses) | {"offset": list(topics.poses.offset or ())},
            "camera_frame": topics.camera_frame or frame,
            "stamps": kind,
            "first_ns": int(image_ns[0]),
            "timing": asdict(timing),
        },
        fps=timing.rate,
        height=options.size[0],
        width=options.size[1],
        frames=tuple(len(one.images) for one in stretches),
        validation=split(len(stretches), options.validation, options.seed),
        depth=topics.depth is not None,
    )
    length = sum(float(np.linalg.norm(np.diff(one.poses[:, :3, 3], axis=0), axis=1).sum()) for one in stretches)
    with_depth = sum(int((one.depths >= 0).sum()) for one in stretches)
    story = [
        f"{topics.images}: {sum(pictures.good)} images of {shown[0]}x{shown[1]}, {unplaced} of them without a pose",
        *chain.story,
        f"{info}: fx {intrinsics[0]:.1f}, fy {intrinsics[1]:.1f}, cx {intrinsics[2]:.1f}, cy {intrinsics[3]:.1f} "
        f"in pixels of {options.size[0]}x{options.size[1]}",
        *([f"{topics.depth}: depth for {with_depth} of {sum(plan.frames)} frames"] if topics.depth else []),
        f"{len(stretches)} drives, {length:.1f} m; left out: {short} of less than {options.shortest} frames, "
        f"{still} in which the camera does not move",
        *(line for left in left_out for line in left.story()),
    ]
    return BagDrives(plan, stretches, intrinsics, pictures.kinds, story)


def write_missing(bag: Bag, drives: BagDrives, topics: DriveTopics, writer: DriveSetWriter) -> Iterator[int]:
    """Write the drives that are not there yet; yields the frames of each once it is."""
    missing = [(number, drives.stretches[number]) for number in writer.missing()]
    size = (drives.plan.height, drives.plan.width)
    pictures = Images(bag, topics.images, drives.image_types, size, (int(n) for _, one in missing for n in one.images))
    depths = None
    if topics.depth is not None:
        wanted = (int(n) for _, one in missing for n in one.depths if n >= 0)
        depths = Images(bag, topics.depth, DEPTH_TYPES, size, wanted, depth_of)
    for number, one in missing:
        frames = np.stack([pictures.take(int(n)) for n in one.images])
        depth = None
        if depths is not None and (one.depths >= 0).any():
            nothing = np.zeros(size, np.float16)
            depth = np.stack([depths.take(int(n)) if n >= 0 else nothing for n in one.depths])
        writer.write(number, Drive(frames, one.poses, drives.intrinsics, depth))
        yield len(frames)


def _look_at_images(bag: Bag, topics: DriveTopics, left_out: LeftOut) -> tuple[_Topic, tuple[int, int], str]:
    """The topic, its images' size (height, width), and the frame in their headers."""
    kinds = bag.types_of(topics.images, "--images", IMAGE_TYPES)
    found = _Topic(StampColumn(topics.images), kinds)
    shown, frame = (0, 0), ""
    for number, (received_ns, message) in enumerate(bag.messages(topics.images, kinds)):
        name = f"{topics.images}, message {number}"
        fault = image_fault(message, name)
        if fault is None and not any(shown):
            image = decoded(message, name)
            shown, frame = (image.shape[0], image.shape[1]), message.header.frame_id
        if fault is None and hasattr(message, "encoding") and (message.height, message.width) != shown:
            fault = InputError(
                name, f"{message.height} x {message.width}", f"the first image has {shown[0]} x {shown[1]}"
            )
        found.column.add(received_ns, message)
        found.good.append(fault is None)
        if fault is not None:
            left_out.add(fault)
    left_out.check(len(found.good), topics.bad_share)
    if not any(found.good):
        raise InputError("--images", f"{len(found.good)} images", "give a topic with a recording on it")
    return found, shown, frame


def _look_at_depth(bag: Bag, topic: str, shown: tuple[int, int], left_out: LeftOut) -> _Topic:
    found = _Topic(StampColumn(topic), bag.types_of(topic, "--depth", DEPTH_TYPES))
    for number, (received_ns, message) in enumerate(bag.messages(topic, found.kinds)):
        fault = depth_fault(message, shown, f"{topic}, message {number}")
        found.column.add(received_ns, message)
        found.good.append(fault is None)
        if fault is not None:
            left_out.add(fault)
    return found


def _jumps(
    stamps: NDArray[np.int64], poses: Matrix, known: NDArray[np.bool_], timing: DriveTiming, left_out: LeftOut
) -> NDArray[np.bool_]:
    """Between which neighbouring images the camera goes faster than any: bool [N - 1]."""
    seconds = np.maximum(np.diff(stamps), 1) / 1e9
    speed = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1) / seconds
    trace = np.einsum("nij,nij->n", poses[:-1, :3, :3], poses[1:, :3, :3])
    turn = np.arccos(np.clip((trace - 1) / 2, -1, 1)) / seconds
    # Half a grain of a quaternion in 32 bits looks like a fast turn between two images with nearly the same stamp.
    found = known[:-1] & known[1:] & (seconds > 1e-3) & ((speed > timing.fastest) | (turn > _MOST_TURN_RAD_S))
    for index in np.flatnonzero(found):
        what = f"{speed[index]:.1f} m/s, {np.degrees(turn[index]):.0f} deg/s"
        at_s = (stamps[index] - stamps[0]) / 1e9
        left_out.add(
            InputError(f"pose at {at_s:.2f} s", what, "it jumps: give smoother poses, as odometry is, or --fastest")
        )
    return np.asarray(found)


def _with_depth(one: Stretch, image_ns: NDArray[np.int64], depths: _Topic, kind: str, timing: DriveTiming) -> Stretch:
    """The stretch with the depth image nearest to each image, where there is one."""
    good = np.flatnonzero(depths.good)
    stamps = depths.column.stamps(kind)[good]
    order = np.argsort(stamps, kind="stable")
    good, stamps, wanted = good[order], stamps[order], image_ns[one.images]
    if not len(good):
        return one
    after = np.clip(np.searchsorted(stamps, wanted), 0, len(stamps) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(stamps[before] - wanted) <= np.abs(stamps[after] - wanted), before, after)
    near = np.abs(stamps[nearest] - wanted) <= _DEPTH_LATE * 1e9 / timing.rate
    return Stretch(one.images, np.where(near, good[nearest], -1), one.poses)


def _cut(found: Sequence[Stretch], options: PlanOptions, rate: float) -> tuple[list[Stretch], int, int]:
    """In parts of at most `longest` frames; how many were too short, and in how many nothing moves."""
    kept, short, still = list[Stretch](), 0, 0
    for one in found:
        count = -(-len(one.images) // options.longest)
        for part in np.array_split(np.arange(len(one.images)), count):
            if len(part) < options.shortest:
                short += 1
            elif not (one.depths[part] >= 0).any() and not parallax(one.poses[part], rate).any():
                still += 1
            else:
                kept.append(Stretch(one.images[part], one.depths[part], one.poses[part]))
    return kept, short, still


def _no_pose(image_ns: NDArray[np.int64], chain: PoseChain, kind: str) -> InputError:
    spans = [("images", image_ns), *((column.topic, column.stamps(kind)) for column in chain.columns)]
    start = min(int(stamps.min()) for _, stamps in spans if len(stamps))
    said = [
        f"{name} from {(stamps.min() - start) / 1e9:.2f} to {(stamps.max() - start) / 1e9:.2f} s" if len(stamps) else
        f"{name} never"
        for name, stamps in spans
    ]  # fmt: skip
    fix = "no image has a pose near it: try --stamps received or header, a larger --pose-gap, or other poses"
    return InputError("--poses", ", ".join(said), fix)


def _nothing_left(found: Sequence[Stretch], still: int, options: PlanOptions) -> InputError:
    if still:
        length = sum(float(np.linalg.norm(np.diff(one.poses[:, :3, 3], axis=0), axis=1).sum()) for one in found)
        fix = "distances can only be told from a camera that moves by 8 cm or more within a second, not only turns"
        return InputError(
            "--poses", f"a camera that goes {length:.2f} m in all", f"{fix}: record a drive, or give --depth"
        )
    longest = max(len(one.images) for one in found)
    fix = "no part is long enough without a gap: try a larger --image-gap or --pose-gap, or a smaller --shortest"
    return InputError("bag", f"{longest} frames at most in one piece, not {options.shortest}", fix)
