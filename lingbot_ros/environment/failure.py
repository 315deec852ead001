"""The one error of the set-up."""

from lingbot_ros.errors import ErrorCode, LingbotError


class SetupError(LingbotError):
    """The environment cannot be made. The message says in one line what is missing and what to do about it."""

    code = ErrorCode.UNSUPPORTED
