"""Imagined Push-T as a Gymnasium environment: `import lingbot_ros.gym`, then `gymnasium.make("lingbot/PushT-v0")`.

`gymnasium.make("lingbot_ros.gym:lingbot/PushT-v0")` does both at once; `gymnasium.make_vec` imagines any number of
environments in one batched forward. Observation: the picture, uint8 [96, 96, 3] RGB. Action: where the pusher is drawn
to, float32 [2] = x, y in simulator units, 0..512. Reward, termination and `info["coverage"]`,
`info["success_probability"]` are the outcome head's reading of the picture. An episode is truncated where the model's
card says that it is no longer to be trusted.
"""

from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, LingbotError

if not have("gymnasium"):
    raise LingbotError(
        "gym: the package gymnasium is not installed; install lingbot_ros with its extra `sim`", ErrorCode.UNSUPPORTED
    )

import gymnasium

ID = "lingbot/PushT-v0"

if ID not in gymnasium.registry:
    gymnasium.register(
        ID,
        entry_point="lingbot_ros.tasks.pusht.env.single:ImaginedPushT",
        vector_entry_point="lingbot_ros.tasks.pusht.env.vector:ImaginedPushTVector",
    )
