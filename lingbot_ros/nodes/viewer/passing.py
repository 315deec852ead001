"""How a page holds, resumes and resets imagined time: a simulator has the standard's services for it."""

from typing import Any

from lingbot_msgs.srv import SetPaused
from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes.viewer.link import ImaginationLink

_SET_STATE, _RESET = "set_simulation_state", "reset_simulation"


class PassingTime:
    """Works with both kinds of nodes; which kind it is can change when the node comes back."""

    def __init__(self, link: ImaginationLink) -> None:
        self._link = link

    @property
    def is_simulator(self) -> bool:
        """Whether a node of this namespace offers the standard simulator services."""
        return self._link.is_offered(_SET_STATE)

    async def pause(self, paused: bool) -> None:
        """Hold or resume. Raises LingbotError of the node, or when the simulator's messages are not installed."""
        if not self.is_simulator:
            await self._link.call(SetPaused, "set_paused", SetPaused.Request(paused=paused))
            return
        _require_messages()
        from simulation_interfaces.msg import SimulationState  # noqa: PLC0415 - an optional package
        from simulation_interfaces.srv import SetSimulationState  # noqa: PLC0415

        state = SimulationState.STATE_PAUSED if paused else SimulationState.STATE_PLAYING
        request = SetSimulationState.Request(state=SimulationState(state=state))
        same = SetSimulationState.Response.ALREADY_IN_TARGET_STATE
        await self._call(SetSimulationState, _SET_STATE, request, also_fine=same)

    async def reset(self) -> None:
        """Set a simulator back to the first image of its world and to time 0. Raises LingbotError."""
        _require_messages()
        from simulation_interfaces.srv import ResetSimulation  # noqa: PLC0415 - an optional package

        await self._call(ResetSimulation, _RESET, ResetSimulation.Request(scope=ResetSimulation.Request.SCOPE_ALL))

    async def _call(self, kind: Any, name: str, request: Any, also_fine: int | None = None) -> None:
        from simulation_interfaces.msg import Result  # noqa: PLC0415 - an optional package

        result = (await self._link.call(kind, self._link.service_name(name), request)).result
        if result.result not in (Result.RESULT_OK, also_fine):
            raise LingbotError(f"{name}: {result.error_message}")


def _require_messages() -> None:
    if not have("simulation_interfaces"):
        raise LingbotError(
            "this node is a simulator, and simulation_interfaces is not installed: `./lingbot sim` builds it once, a "
            "ROS 2 install has it as ros-$ROS_DISTRO-simulation-interfaces",
            ErrorCode.UNSUPPORTED,
        )
