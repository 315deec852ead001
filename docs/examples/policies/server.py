"""A policy server as openpi has them, in a page: tells its metadata, then answers every observation with actions.

It plays the learned policy of Push-T, which `./lingbot train-head policy --out models/pusht-pushes` trains. `--port 0`
takes a free port. Any server that speaks this can be evaluated:

    policies:
      - {name: served, server: ws://127.0.0.1:8000, image_keys: observation/image}
"""

import argparse
from functools import partial

import numpy as np
from openpi_client import msgpack_numpy
from websockets.sync.server import ServerConnection, serve

from lingbot_ros.evaluate.policies import Observation
from lingbot_ros.tasks.pusht.learned.policy import SHIPPED, make_policy


def answer(connection: ServerConnection, head: str) -> None:
    """One robot, from its first message to its last."""
    policy = make_policy(head)
    connection.send(msgpack_numpy.packb({"model": "a small policy of Push-T"}))
    for message in connection:
        observation = msgpack_numpy.unpackb(message)
        actions = policy.act(Observation(observation["observation/image"], step=0))
        connection.send(msgpack_numpy.packb({"actions": np.asarray(actions, np.float32)}))


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--head", default=SHIPPED, help="what `./lingbot train-head policy` wrote (default %(default)s)"
    )
    args = parser.parse_args()
    robot = partial(answer, head=args.head)
    with serve(robot, "127.0.0.1", args.port, compression=None, max_size=None) as server:
        print(f"listening on ws://127.0.0.1:{server.socket.getsockname()[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
