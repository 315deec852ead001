"""`lingbot imagine` for camera models: sends a trajectory to a node and writes the frames to a video."""

import argparse
import sys
import time
from dataclasses import replace
from typing import Any

from std_msgs.msg import Header

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import ModelInfo
from lingbot_msgs.srv import StartSession
from lingbot_ros.bridge.images import image_to_rgb, rgb_to_image
from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.cli.imagine.film import Recording
from lingbot_ros.cli.imagine.trajectory import Trajectory, read_trajectory
from lingbot_ros.cli.model_arguments import load_options
from lingbot_ros.cli.node_session import BRING_UP_S, ros, ros_arguments, what_ran
from lingbot_ros.control.prompts import PromptEvent, read_prompts
from lingbot_ros.control.scene_files import read_prompt
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.input_files.encoded_image import read_image
from lingbot_ros.model.geometry import frame_size
from lingbot_ros.nodes.client.imagination import ImaginationClient
from lingbot_ros.nodes.client.node_process import NodeProcess
from lingbot_ros.nodes.client.trajectory import TrajectoryClient
from lingbot_ros.runtime.records import Image
from lingbot_ros.world.adapted_card import adapted_card
from lingbot_ros.world.memory_plan import plan_memory
from lingbot_ros.world.readiness import ready_files

# A large autoencoder needs minutes to encode the first image on a CPU.
_START_S = 600.0

# Values of --precision that need less memory.
_SMALLER = ("bf16", "int8")


def imagine_camera(args: argparse.Namespace, card: ModelCard) -> int:
    """Start the node and a session at --image, and imagine the whole trajectory. Raises LingbotError."""
    if card.stream.window == card.stream.chunk and args.clip_frames is None:
        args.clip_frames = args.frames  # of a model that makes one clip
    picture = None
    if args.image is not None and args.image.exists():
        picture = read_image(args.image, "--image")
        choose_size(args, card, (picture.shape[0], picture.shape[1]))
    require_weights(args, card)
    if args.image is None and card.seed_image is not None:
        args.image = card.folder / card.seed_image
    if args.image is None:
        raise InputError("--image", "nothing", f"{card.name} starts from an image: give a JPEG or PNG file")
    if not (args.text_only or args.poses or args.keys or args.action_string) and card.demo_poses is not None:
        args.poses = card.folder / card.demo_poses
    if args.policy is not None:
        raise InputError("--policy", f"'{args.policy}'", f"leave it out: {card.name} takes camera poses, no actions")
    picture = read_image(args.image, "--image") if picture is None else picture
    trajectory = read_trajectory(args, adapted_card(card, load_options(args, {})))
    prompt = read_prompt(args.prompt, "--prompt")
    prompts = _prompts(args, card, prompt, len(trajectory.poses))
    print(trajectory.text(), flush=True)
    more = {"camera.unit_step": repr(trajectory.unit_step)}
    if not args.params_file and not args.mode:
        more["mode"] = "lockstep"
    with NodeProcess(ros_arguments(args, more)) as process, ros(args.namespace) as (node, executor):
        client, stream = ImaginationClient(node, executor), TrajectoryClient(node, executor)
        run: _Run | None = None
        try:
            client.bring_up(BRING_UP_S, alive=lambda: process.exit_code() is None)
            model = client.loaded_model()
            run = _Run(args, model, trajectory)
            started_s = time.monotonic()
            session_id = client.start_session(_start(args, picture, trajectory, prompt), _START_S).session_id
            engine = f"{model.engine} on {model.device}, {model.precision}"
            print(f"{model.name}: {engine}; licence {card.licence_note}", flush=True)

            def going() -> bool:
                if process.exit_code() is not None:
                    raise LingbotError("the node has ended; see its log above")
                return args.duration is None or time.monotonic() - started_s < args.duration

            chunks = (trajectory.first_chunk, trajectory.later_chunks)
            paced = args.mode == "realtime"
            poses, keys = trajectory.messages(), trajectory.key_messages()
            stream.imagine(
                session_id, poses, chunks, run.add, keys=keys, prompt=prompt, prompts=prompts, paced=paced, going=going
            )
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
        finally:
            stream.destroy()
            if run is not None:
                run.finish(prompt)
    return 0


def choose_size(args: argparse.Namespace, card: ModelCard, image: tuple[int, int]) -> None:
    """Give the frames the aspect of the first image (height, width), as the released pipeline does.

    A size that was given as WIDTHxHEIGHT stays, and what --params-file may say. Raises InputError.
    """
    size = load_options(args, {}).size
    if card.autoencoder != "wan" or (args.fit or "aspect") != "aspect" or isinstance(size, tuple):
        return
    if args.params_file and size is None:
        return
    height, width = frame_size(*image, size or card.area or card.height * card.width)
    args.size = f"{width}x{height}"
    print(f"frames: {width}x{height}, of the aspect of {args.image}", flush=True)


def require_weights(args: argparse.Namespace, card: ModelCard) -> None:
    """Check weights and memory before a node is started. Raises LingbotError that says what to download."""
    if not isinstance(card.weights, HubWeights):
        return
    options = load_options(args, {})
    adapted, options = adapted_card(card, options), options.resolved()
    try:
        ready_files(adapted, options)
    except LingbotError:
        print(plan_memory(adapted, options).text(), file=sys.stderr)
        for smaller in _SMALLER:
            if smaller != options.precision:
                print(plan_memory(adapted, replace(options, precision=smaller)).verdict(), file=sys.stderr)
        raise


def _prompts(args: argparse.Namespace, card: ModelCard, prompt: str, frames: int) -> list[PromptEvent]:
    """The events of --prompts that lie in a film of `frames` frames. Raises InputError."""
    if args.prompts is None:
        return []
    events = read_prompts(args.prompts, "--prompts", card.fps)
    if not prompt and not all(event.prompt for event in events):
        raise InputError("--prompts", "an empty prompt", "also give --prompt: it comes back there")
    return [event for event in events if event.frame < frames]


def _start(args: argparse.Namespace, picture: Image, trajectory: Trajectory, prompt: str) -> StartSession.Request:
    return StartSession.Request(
        image=rgb_to_image(picture, Header()),
        camera_info=trajectory.camera_info(*picture.shape[:2]),
        start_pose=trajectory.messages()[0].pose,
        prompt=prompt,
        seed=args.seed,
    )


class _Run:
    """Counts and records the received frames."""

    def __init__(self, args: argparse.Namespace, model: ModelInfo, trajectory: Trajectory) -> None:
        self._args, self._model, self._trajectory = args, model, trajectory
        self._recording = Recording(args.out, model.fps) if args.out else None
        self._started_s = time.monotonic()
        self._frames = self._chunks = 0
        self._chunk_s = 0.0

    def add(self, chunk: Imagine.Feedback) -> None:
        """Add the frames of one chunk."""
        self._frames += len(chunk.frames)
        self._chunks += 1
        self._chunk_s += chunk.frames[0].chunk_time
        if self._recording is not None:
            for image in chunk.images:
                self._recording.add(image_to_rgb(image))
        total, fps = len(self._trajectory.poses), self._frames / (time.monotonic() - self._started_s)
        print(
            f"frame {self._frames} of {total}  chunk {self._chunks - 1}  {chunk.frames[0].chunk_time:.2f} s per chunk  "
            f"{fps:.1f} fps (model: {self._model.fps:g})",
            flush=True,
        )

    def finish(self, prompt: str) -> None:
        """Close the video, write and print the summary."""
        summary = self._summary(prompt)
        out = self._args.out
        if self._recording is not None:
            self._recording.finish(summary)
        print(f"{self._frames} frames in {summary['duration_s']:.1f} s ({summary['frames_per_second']} per second)")
        if out:
            print(f"{out}/imagined.mp4, {out}/latest.png, {out}/summary.json")

    def _summary(self, prompt: str) -> dict[str, Any]:
        args, trajectory = self._args, self._trajectory
        duration_s = time.monotonic() - self._started_s
        return {
            **what_ran(self._model),
            "seed": args.seed,
            "first_picture": str(args.image),
            "prompt": prompt,
            "prompts": str(self._args.prompts or ""),
            "trajectory": str(args.poses or args.action_string or args.keys or "none"),
            "poses_given": trajectory.given,
            "poses_used": len(trajectory.poses),
            "unit_step": trajectory.unit_step,
            "intrinsics": trajectory.intrinsics_are,
            "duration_s": round(duration_s, 3),
            "frames_received": self._frames,
            "frames_per_second": round(self._frames / duration_s, 2),
            "model_fps": self._model.fps,
            "chunk_time_mean_s": round(self._chunk_s / self._chunks, 4) if self._chunks else None,
        }
