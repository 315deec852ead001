"""Imagined worlds as Gymnasium environments: `import lingbot_ros.gym`, then `gymnasium.make(ID)`.

`gymnasium.make("lingbot_ros.gym:ID")` does both at once; `gymnasium.make_vec` imagines any number of environments in
one batched forward. Every installed task registers its own (see `lingbot_ros.tasks`).
"""

from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.tasks.registry import all_tasks

if not have("gymnasium"):
    raise LingbotError(
        "gym: the package gymnasium is not installed; install lingbot_ros with its extra `sim`", ErrorCode.UNSUPPORTED
    )

import gymnasium

for task in all_tasks():
    for environment in task.environments:
        if environment.id not in gymnasium.registry:
            gymnasium.register(
                environment.id,
                entry_point=environment.entry_point,
                vector_entry_point=environment.vector_entry_point,
            )
