"""Start the node `evaluator`, and with `--policies FILE` have it say which of the policies is better.

`./lingbot python docs/examples/evaluator.py` runs it until Ctrl-C. What follows `--ros-args` goes to the node, e.g.
`--ros-args -p trust.enabled:=true`.
"""

import argparse
import signal
import sys
from pathlib import Path

import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from lingbot_msgs.action import EvaluatePolicy
from lingbot_msgs.msg import RolloutScore
from lingbot_ros.nodes.client.imagination import ImaginationClient
from lingbot_ros.nodes.client.node_process import NodeProcess


class Client(Node):
    """Sends a goal and tells what comes in."""

    def __init__(self) -> None:
        super().__init__("evaluation_client")
        self.evaluate = ActionClient(self, EvaluatePolicy, "evaluator/evaluate_policy")
        self.create_subscription(RolloutScore, "scores", self.on_score, 50)

    def on_score(self, score: RolloutScore) -> None:
        """One rollout has ended."""
        how = {RolloutScore.OUTCOME_SUCCESS: "success", RolloutScore.OUTCOME_FAILURE: "failure"}
        said = how.get(score.outcome, f"no verdict, {score.reason}")
        print(f"{score.policy} {score.control} from start {score.start_index}: {said}", flush=True)

    def on_feedback(self, message: EvaluatePolicy.Impl.FeedbackMessage) -> None:
        """How far it is."""
        now = message.feedback
        print(f"{now.rollouts_done} of {now.rollouts_total} rollouts, {now.remaining:.0f} s to go", flush=True)


def main() -> int:
    """Bring the node up; with policies, evaluate them and end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=Path, help="YAML file of policies (default: wait for goals)")
    parser.add_argument("--rollouts", type=int, default=20, help="starts of each policy (default %(default)s)")
    parser.add_argument("--frames", type=int, default=48, help="frames of a rollout (default %(default)s)")
    parser.add_argument("--report", default="", help="name of the report's folder; the same name goes on there")
    args, rest = parser.parse_known_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with NodeProcess([word for word in rest if word != "--ros-args"], kind="evaluator") as process:
            rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
            client, executor = Client(), SingleThreadedExecutor()
            executor.add_node(client)
            ImaginationClient(client, executor, "evaluator").bring_up(600.0, lambda: process.exit_code() is None)
            if args.policies is not None:
                return evaluate(client, executor, args)
            print("the evaluator waits for goals; Ctrl-C ends it", flush=True)
            while process.exit_code() is None:
                executor.spin_once(0.5)
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()
    return 0


def evaluate(client: Client, executor: SingleThreadedExecutor, args: argparse.Namespace) -> int:
    """Send the goal and print its result. Returns 0 when it is complete."""
    goal = EvaluatePolicy.Goal(policies_file=str(args.policies.resolve()), out=args.report)
    goal.rollouts, goal.frames = args.rollouts, args.frames
    client.evaluate.wait_for_server()
    sent = client.evaluate.send_goal_async(goal, feedback_callback=client.on_feedback)
    executor.spin_until_future_complete(sent)
    if not sent.result().accepted:
        print("the goal was rejected; the node's log above says why")
        return 1
    answered = sent.result().get_result_async()
    executor.spin_until_future_complete(answered)
    result = answered.result().result
    for score in result.scores:
        interval = f"{score.ci_low:.2f} to {score.ci_high:.2f}"
        print(f"{score.rank}. {score.policy}: {score.successes} of {score.n} ({interval}), {score.invalid} invalid")
    print(result.error_msg or f"{result.verdict}\nreport in {result.report}")
    return 1 if result.error_code else 0


if __name__ == "__main__":
    sys.exit(main())
