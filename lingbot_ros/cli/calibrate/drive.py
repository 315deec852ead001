"""The clip of `lingbot calibrate`, from a folder of images or a bag."""

import argparse
from pathlib import Path

import numpy as np

from lingbot_ros.control.rays import REFERENCE_SIZE, default_intrinsics, stretch_intrinsics
from lingbot_ros.control.scene_files import read_intrinsics, read_prompt
from lingbot_ros.datasets.bag.images import IMAGE_TYPES
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.unit_step import Drive, Frame
from lingbot_ros.input_files.encoded_image import read_image
from lingbot_ros.recording.images import compressed_to_rgb, image_to_rgb

_SUFFIXES = (".jpg", ".jpeg", ".png")


def read_drive(args: argparse.Namespace) -> Drive:
    """Raises InputError naming the argument, or the image that cannot be read."""
    images = _of_bag(args.clip, args.images) if args.images else _of_folder(args.clip)
    height, width = images[0].shape[:2]
    intrinsics = default_intrinsics(height, width)
    if args.intrinsics is not None:
        intrinsics = stretch_intrinsics(
            read_intrinsics(args.intrinsics, "--intrinsics")[0], REFERENCE_SIZE, (height, width)
        )
    return Drive(images, args.distance, intrinsics, read_prompt(args.prompt, "--prompt"))


def _of_folder(folder: Path) -> list[Frame]:
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError("clip", f"'{folder}'", "give a folder of JPEG or PNG files, or a bag with --images TOPIC")
    return [read_image(path, str(path)) for path in files]


def _of_bag(path: Path, topic: str) -> list[Frame]:
    images: list[Frame] = []
    with Bag(path) as bag:
        kinds = bag.types_of(topic, "--images", IMAGE_TYPES)
        for _, message in bag.messages(topic, kinds):
            if isinstance(message, InputError):
                raise message
            to_rgb = image_to_rgb if hasattr(message, "encoding") else compressed_to_rgb
            images.append(np.ascontiguousarray(to_rgb(message, topic)))
    if not images:
        raise InputError("--images", topic, f"the topic has no images in {path}")
    return images
