"""`lingbot imagine`: the node runs in a child process, the driver in this one; they communicate by topics."""

import argparse
import sys
import time
from typing import Any

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Header

from lingbot_msgs.msg import ModelInfo
from lingbot_msgs.srv import StartSession
from lingbot_ros.bridge.images import rgb_to_image
from lingbot_ros.bridge.model_messages import control_spec
from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.cli.imagine.camera import imagine_camera, require_weights
from lingbot_ros.cli.imagine.film import Recording
from lingbot_ros.cli.node_session import BRING_UP_S, ros, ros_arguments, use_large_images, what_ran
from lingbot_ros.control.scene_files import read_prompt
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.input_files.encoded_image import read_image
from lingbot_ros.nodes.client.demo_driver import DemoDriver
from lingbot_ros.nodes.client.imagination import ImaginationClient
from lingbot_ros.nodes.client.node_process import NodeProcess
from lingbot_ros.nodes.end_signals import interrupt_once
from lingbot_ros.runtime.records import Image
from lingbot_ros.tasks.policy import make_policy
from lingbot_ros.tasks.registry import find_task
from lingbot_ros.tasks.task import FirstImage, Task

_MATCH_S = 10.0
_LINE_TTY_S, _LINE_LOG_S = 0.2, 1.0


def imagine(args: argparse.Namespace) -> int:
    """See `lingbot_ros.cli.imagine`."""
    if args.duration is not None and not args.duration > 0:
        raise InputError("--duration", args.duration, "give a positive number of seconds")
    interrupt_once()  # SIGTERM and SIGHUP act like Ctrl-C; the cleanup ends the process of the node
    if args.large_images:
        use_large_images()
    card = find_card(args.model) if args.model is not None else None
    if card is not None and card.control.kind == "camera":
        return imagine_camera(args, card)
    _refuse_camera_options(args, card)
    if card is not None:
        require_weights(args, card)
    picture = read_image(args.image, "--image") if args.image else None
    with NodeProcess(ros_arguments(args, {})) as process, ros(args.namespace) as (node, executor):
        client = ImaginationClient(node, executor)
        try:
            client.bring_up(BRING_UP_S, alive=lambda: process.exit_code() is None)
            model = client.loaded_model()
            task = find_task(model.task) if model.task else None
            first = FirstImage(picture, str(args.image)) if picture is not None else _first_image(task, args.seed)
            frame, origin = (None, "the example image of the model") if first is None else (first.image, first.origin)
            policy_name, policy = make_policy(args.policy, task, model.name, control_spec(model), args.seed)
            recording = Recording(args.out, model.fps) if args.out else None
            driver = DemoDriver(
                policy,
                recording.add if recording else lambda _, __: None,
                1 / model.fps,
                args.namespace,
            )
            executor.add_node(driver)
            _start(client, driver, executor, frame, args)
        except KeyboardInterrupt:
            print("interrupted before the first frame", file=sys.stderr)
            return 0
        print(f"first image: {origin}; topic: {driver.resolve_topic_name('image_raw')} ({model.fps:g} fps)", flush=True)
        if model.max_horizon:
            print(
                f"the model is reliable for about {model.max_horizon} frames after a real image; "
                "later frames may be wrong",
                flush=True,
            )
        started_s = time.monotonic()
        try:
            _drive(driver, executor, process, args.duration)
        finally:
            driver.show_unmatched()
            summary = _summary(driver, model, args, (origin, policy_name), time.monotonic() - started_s)
            if recording is not None:
                recording.finish(summary)
            driver.destroy_node()
    _print_summary(summary, args)
    return 0


def _refuse_camera_options(args: argparse.Namespace, card: ModelCard | None) -> None:
    for name in ("poses", "action_string", "keys", "intrinsics", "frames", "prompts"):
        if getattr(args, name) is not None:
            fix = f"leave it out: {card.name} takes actions" if card else "also give the model: --model NAME"
            raise InputError(f"--{name.replace('_', '-')}", getattr(args, name), fix)


def _first_image(task: Task | None, seed: int) -> FirstImage | None:
    """The first image of the task's scene; None = the node uses the model's example image."""
    return None if task is None else task.first_image(seed)


def _start(
    client: ImaginationClient,
    driver: DemoDriver,
    executor: SingleThreadedExecutor,
    frame: Image | None,
    args: argparse.Namespace,
) -> None:
    deadline_s = time.monotonic() + _MATCH_S
    while driver.status is None:
        executor.spin_once(0.1)
        if time.monotonic() > deadline_s:
            raise LingbotError(f"no status from the node within {_MATCH_S} s; check DDS with `lingbot doctor`")
    request = StartSession.Request(seed=args.seed, prompt=read_prompt(args.prompt, "--prompt"))
    if frame is not None:
        request.image = rgb_to_image(frame, Header())
    driver.begin(client.start_session(request).session_id, frame)


def _drive(
    driver: DemoDriver, executor: SingleThreadedExecutor, process: NodeProcess, duration_s: float | None
) -> None:
    """Spin until the duration has passed or Ctrl-C, and update one status line."""
    started_s = line_s = time.monotonic()
    terminal = sys.stdout.isatty()
    try:
        while duration_s is None or time.monotonic() - started_s < duration_s:
            executor.spin_once(0.05)
            if process.exit_code() is not None:
                raise LingbotError("the node has ended; see its log above")
            if time.monotonic() - line_s >= (_LINE_TTY_S if terminal else _LINE_LOG_S):
                line_s = time.monotonic()
                print(
                    f"\r\033[K{_line(driver)}" if terminal else _line(driver), end="" if terminal else "\n", flush=True
                )
    except KeyboardInterrupt:
        pass
    finally:
        if terminal:
            print()


def _line(driver: DemoDriver) -> str:
    status, counts = driver.status, driver.counts
    engine = f"{status.engine} on {status.device}, {status.threads} thread(s)" if status else "?"
    fps = status.fps if status else float("nan")
    latency = _milliseconds(counts.latencies_s[-32:], 50)
    return (
        f"frame {counts.last_frame_index}  chunk {counts.chunk}  {fps:.1f} fps  action to frame {latency} ms  {engine}"
    )


def _milliseconds(values: list[float], percentile: float) -> str:
    return f"{1000 * np.percentile(values, percentile):.0f}" if values else "-"


def _summary(
    driver: DemoDriver, model: ModelInfo, args: argparse.Namespace, begun: tuple[str, str], duration_s: float
) -> dict[str, Any]:
    origin, policy = begun
    status, counts = driver.status, driver.counts
    low, high = np.percentile(counts.latencies_s, (50, 99)) if counts.latencies_s else (None, None)
    return {
        **what_ran(model),
        "mode": args.mode or "realtime",
        "policy": policy,
        "seed": args.seed,
        "first_picture": origin,
        "duration_s": round(duration_s, 3),
        "frames_received": counts.frames,
        "frames_per_second": round(counts.frames / duration_s, 2) if duration_s else None,
        "model_fps": model.fps,
        "actions_sent": counts.actions,
        "action_to_frame_p50_s": None if low is None else round(float(low), 4),
        "action_to_frame_p99_s": None if high is None else round(float(high), 4),
        "chunk_time_p50_s": None if status is None else round(status.chunk_time_p50, 4),
        "frames_dropped": None if status is None else status.frames_dropped,
        "errors": None if status is None else status.error_count,
    }


def _print_summary(summary: dict[str, Any], args: argparse.Namespace) -> None:
    latency = summary["action_to_frame_p50_s"]
    print(
        f"{summary['frames_received']} frames in {summary['duration_s']:.1f} s "
        f"({summary['frames_per_second']} per second), {summary['actions_sent']} actions, "
        f"action to frame p50 {'-' if latency is None else f'{1000 * latency:.0f} ms'}, errors: {summary['errors']}"
    )
    if args.out:
        print(f"{args.out}/imagined.mp4, {args.out}/latest.png, {args.out}/summary.json")
