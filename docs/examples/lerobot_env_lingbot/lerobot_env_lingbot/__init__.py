"""Registers `--env.type=lingbot_pusht` with LeRobot."""

from lerobot_env_lingbot.config import LingbotPushT

__all__ = ["LingbotPushT"]
