"""Words for what happens to a live world. The numbers are those of `lingbot_msgs`; a test keeps the two in step."""

from enum import IntEnum


class FrameKind(IntEnum):
    """Where a frame comes from (`FrameInfo.KIND_*`)."""

    UNKNOWN = 0
    SEED = 1
    IMAGINED = 2
    OBSERVED = 3


class ControlSource(IntEnum):
    """What drove a frame (`FrameInfo.SOURCE_*`)."""

    UNKNOWN = 0
    NONE = 1
    ACTION = 2
    CAMERA_POSE = 3
    PATH = 4
    CMD_VEL = 5
    JOINT_STATE = 6
    JOINT_TRAJECTORY = 7
    JOY = 8
    KEYS = 9
    SERVICE = 10
    GOAL = 11
    PLANNER = 12
    RECORDING = 13


class ControlState(IntEnum):
    """How old the control was (`FrameInfo.CONTROL_*`)."""

    UNKNOWN = 0
    FRESH = 1
    HELD = 2
    DECAYED = 3
    STOPPED = 4


class Mode(IntEnum):
    """How time passes (`ImaginationStatus.MODE_*`)."""

    UNKNOWN = 0
    REALTIME = 1
    LOCKSTEP = 2


class State(IntEnum):
    """What the generator does (`ImaginationStatus.STATE_*`)."""

    UNKNOWN = 0
    IDLE = 1
    WAITING = 2
    RUNNING = 3
    PAUSED = 4
    FAILED = 5
