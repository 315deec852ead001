"""Small readers of Push-T images, real or imagined: has it succeeded, and what action led from one to the next."""

from lingbot_ros.tasks.pusht.heads.inverse import InverseDynamics
from lingbot_ros.tasks.pusht.heads.outcome import Outcome, OutcomeHead

__all__ = ["InverseDynamics", "Outcome", "OutcomeHead"]
