"""Start an imagined world that nobody drives yet: node, model, first image. Then drive it from anywhere.

`./lingbot python docs/examples/world.py` runs the model pusht-lasting until Ctrl-C. Options: `--params-file YAML` for
the node's parameters, `--model NAME`.
"""

import argparse
import signal

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from lingbot_msgs.srv import StartSession
from lingbot_ros.nodes.client.imagination import ImaginationClient
from lingbot_ros.nodes.client.node_process import NodeProcess


def main() -> None:
    """Bring the node up, start a session from the model's own image, and wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params-file", help="parameters of the node")
    parser.add_argument("--model", help="name of a model, or a folder with a card.yaml")
    args = parser.parse_args()
    ros_arguments = ["--params-file", args.params_file] if args.params_file else []
    ros_arguments += ["-p", f"model.name:={args.model}"] if args.model else []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with NodeProcess(ros_arguments) as process:
            rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
            node, executor = Node("world"), SingleThreadedExecutor()
            executor.add_node(node)
            client = ImaginationClient(node, executor)
            client.bring_up(600.0, alive=lambda: process.exit_code() is None)
            session = client.start_session(StartSession.Request())
            print(f"{session.model} waits for controls as session {session.session_id}; Ctrl-C ends it", flush=True)
            while process.exit_code() is None:
                executor.spin_once(0.5)
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
