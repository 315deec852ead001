"""Keep an imagined world on a real robot's track, and measure what that is worth. The robot here is a simulated Push-T.

`./lingbot python docs/examples/follow_robot.py --every 8` starts the node `imagination`, shows it the robot's first
image, and sends every action and every camera image as a robot would. Of 8 frames the node then imagines seven and
observes one. It prints how far the imagined block is from the real one. `--every 0`: nothing is observed.
Options: `--model NAME`, `--episodes N`, `--frames N` of each.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from lingbot_msgs.msg import FrameInfo, RobotAction
from lingbot_msgs.srv import StartSession
from lingbot_ros.bridge.images import rgb_to_image
from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.nodes.client.imagination import ImaginationClient
from lingbot_ros.nodes.client.node_process import NodeProcess
from lingbot_ros.tasks.pusht.block_pose import fit_block_pose, pose_error
from lingbot_ros.tasks.pusht.dataset.episode import episode_seed
from lingbot_ros.tasks.pusht.image_reader import read_shares
from lingbot_ros.tasks.pusht.simulator.policies import RandomPush
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator

PERIOD_NS = 10**8  # the robot's camera gives ten images a second, as many as the model's frames
PATIENCE_S = 60.0


class Robot(Node):
    """Sends what it does and sees, under the stamp of its moment; hears what the node makes of it."""

    def __init__(self) -> None:
        super().__init__("robot")
        self.simulator = PushTSimulator()
        self.images: dict[tuple[int, int], Image] = {}
        self.infos: list[FrameInfo] = []
        self.now_ns = 0
        self.actions = self.create_publisher(RobotAction, "action", 100)
        self.camera = self.create_publisher(Image, "observed_image", 50)
        self.create_subscription(Image, "image_raw", self.on_image, QoSProfile(depth=100))
        self.create_subscription(FrameInfo, "frame_info", self.infos.append, QoSProfile(depth=100))

    def on_image(self, message: Image) -> None:
        """Kept until its frame_info, which has the same stamp, says what it is."""
        self.images[message.header.stamp.sec, message.header.stamp.nanosec] = message

    def see(self, stamp: Time) -> Image:
        """What the camera sees now."""
        message = rgb_to_image(self.simulator.render(), Image().header)
        message.header.stamp = stamp
        return message

    def act(self, target: np.ndarray, stamp: Time) -> None:
        """Tell the imagined world what the robot is told, and do it."""
        action = RobotAction(values=[float(value) for value in target])
        action.header.stamp = stamp
        self.actions.publish(action)
        self.simulator.step(target)


def main() -> None:
    """Follow some episodes and print the errors of the imagined frames."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pusht-small", help="world model (default: %(default)s, which drifts)")
    parser.add_argument("--every", type=int, default=8, help="observe one frame of so many; 0 = none (default: 8)")
    parser.add_argument("--episodes", type=int, default=4, help="how many (default: 4)")
    parser.add_argument("--frames", type=int, default=100, help="of each episode (default: 100, ten seconds)")
    args = parser.parse_args()
    parameters = ["-p", "mode:=lockstep", "-p", f"observe.every:={args.every}", "-p", f"model.name:={args.model}"]
    try:
        with NodeProcess(parameters) as process:
            rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
            robot, executor = Robot(), SingleThreadedExecutor()
            executor.add_node(robot)
            client = ImaginationClient(robot, executor)
            client.bring_up(600.0, alive=lambda: process.exit_code() is None)
            spin(executor, lambda: robot.camera.get_subscription_count() and robot.actions.get_subscription_count())
            errors = [follow(robot, executor, client, episode, args) for episode in range(args.episodes)]
    finally:
        rclpy.try_shutdown()
    pixels, degrees, since_real = np.concatenate(errors).T
    print(
        f"observe.every {args.every}: {len(pixels)} imagined frames, up to {since_real.max():.0f} after a real one; "
        f"the block is off by {np.nanmean(pixels):.2f} px and {np.nanmean(degrees):.1f} deg on average, "
        f"{np.nanpercentile(pixels, 90):.2f} px and {np.nanpercentile(degrees, 90):.1f} deg in nine of ten frames; "
        f"it is gone in {np.isnan(pixels).mean():.1%}"
    )


def follow(
    robot: Robot, executor: SingleThreadedExecutor, client: ImaginationClient, episode: int, args: argparse.Namespace
) -> np.ndarray:
    """One episode; of each imagined frame the block's error in pixels and degrees, and the frames since a real one."""
    seed = episode_seed("test", 0, episode)
    state = robot.simulator.reset(seed)
    policy = RandomPush(np.random.default_rng(seed))
    # An episode of ten seconds is over in two: the next one begins where the stamps of this one end.
    start_ns = max(time.time_ns(), robot.now_ns + PERIOD_NS)
    robot.now_ns = start_ns + args.frames * PERIOD_NS
    first = robot.see(to_time(start_ns))
    # Frame 0 is stamped as its image is: from then on both count the same time.
    session = client.start_session(StartSession.Request(image=first, start_stamp=first.header.stamp))
    spin(executor, lambda: any(info.session_id == session.session_id for info in robot.infos))
    robot.infos.clear()
    errors = []
    for k in range(args.frames):
        robot.act(policy.target(state), to_time(start_ns + k * PERIOD_NS))
        state = robot.simulator.state
        if args.every:
            robot.camera.publish(robot.see(to_time(start_ns + (k + 1) * PERIOD_NS)))
        spin(executor, lambda k=k: len(robot.infos) > k)
        info = robot.infos[k]
        key = info.header.stamp.sec, info.header.stamp.nanosec
        spin(executor, lambda key=key: key in robot.images)
        picture = np.frombuffer(robot.images.pop(key).data, np.uint8).reshape(96, 96, 3)
        if info.kind == FrameInfo.KIND_IMAGINED:
            pose = fit_block_pose(read_shares(picture)).pose
            errors.append([*pose_error(pose, state.block, 96), info.frames_since_real])
    return np.array(errors).reshape(-1, 3)


def spin(executor: SingleThreadedExecutor, until: Callable[[], object]) -> None:
    """Take messages until the condition holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not until():
        if time.monotonic() > deadline_s:
            raise TimeoutError("what the robot waits for did not come; the node's log above may say why")
        executor.spin_once(0.1)


if __name__ == "__main__":
    main()
