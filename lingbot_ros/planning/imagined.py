"""What a plan looks like, and how far it can be believed."""

import numpy as np

from lingbot_ros.checkpoints.trust import LEAST_TRUST
from lingbot_ros.planning.futures import Floats, Frames
from lingbot_ros.planning.receding import trusted_horizon
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.rollout import roll_copies
from lingbot_ros.world.session import Session
from lingbot_ros.world.world import World


def imagine(session: Session, actions: Floats) -> Frames:
    """Images uint8 [T, H, W, 3] RGB that actions [T, A] lead to; the session is left as it is. T in whole chunks."""
    fork = session.fork()
    images = []
    try:
        done = 0
        while done < len(actions):
            count = fork.frames_in_next_chunk
            images.append(fork.step(actions[done : done + count]))
            done += count
    finally:
        fork.close()
    return np.concatenate(images)


def trusted_frames(world: World, session: Session, actions: Floats) -> int:
    """How many leading frames of a plan [T, A] are to be believed.

    By what the model was measured to be reliable for, and, where its trust is calibrated, by how far copies of the
    world come apart under these very actions.
    """
    frames = trusted_horizon(len(actions), world.info.max_horizon, session.frames_since_real)
    trust = world.card.trust
    if trust is None or not isinstance(session, LayerSession) or not frames:
        return frames
    _, spread_px = roll_copies(session.rollout_state, actions[None, :frames])
    doubted = [frame for frame, spread in enumerate(spread_px[0].tolist()) if trust.of(spread) < LEAST_TRUST]
    return doubted[0] if doubted else frames
