"""The standard simulator interfaces over an imagined world. Imported only where `simulation_interfaces` is there."""

import re
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from rclpy.executors import Executor
from simulation_interfaces import srv
from simulation_interfaces.msg import Bounds, EntityCategory, EntityFilters, EntityInfo, EntityState, TagsFilter

from lingbot_ros.bridge import simulation_messages as messages
from lingbot_ros.errors import InputError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.awaiting import on_worker
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.nodes.imagination.recording import Recording
from lingbot_ros.nodes.simulator.clock import SimulatorClock
from lingbot_ros.nodes.simulator.steps import SimulatorSteps
from lingbot_ros.runtime.records import FrameRecord
from lingbot_ros.runtime.scene import Scene, parse_scene
from lingbot_ros.runtime.scene_catalog import SceneCatalog
from lingbot_ros.runtime.served_world import ServedWorld
from lingbot_ros.runtime.simulation import SESSION, Simulation, SimulationState

T = TypeVar("T")

CAMERA = "camera"
"""The one entity of an imagined world."""
_CAMERA_TAGS = ("imagined",)
_QUIT_S = 0.3

# What a video model does not have; each answers that the feature is unsupported.
_UNSUPPORTED = (
    *("SetEntityState", "SetEntityInfo", "GetEntityBounds", "GetNamedPoses", "GetNamedPoseBounds", "GetSpawnables"),
    *("SpawnEntity", "SpawnEntities", "DeleteEntity"),
)


def missing_services() -> list[str]:
    """Services of the standard that the installed version of its interfaces lacks, as 1.2 lacks SpawnEntities."""
    return [kind for kind in _UNSUPPORTED if not hasattr(srv, kind)]


class Simulator:
    """Services, action and clock of one simulated world, beside the node's own interfaces."""

    def __init__(self, running: NodeContext, executor: Executor, recording: Recording) -> None:
        self._running, self._executor = running, executor
        settings, info = running.config.simulator, running.info
        self._shelf = SceneCatalog(settings.worlds)
        self._simulation = Simulation(
            info, running.config.worker.mode, lambda world: messages.request_of_world(world, info)
        )
        self._clock = SimulatorClock(running, recording)
        self._newest: tuple[FrameRecord | None, FrameRecord | None] = (None, None)
        table: dict[str, tuple[Any, Callable[[Any, Any], Awaitable[None]]]] = {
            "get_simulator_features": (srv.GetSimulatorFeatures, self._get_features),
            "get_simulation_state": (srv.GetSimulationState, self._get_state),
            "set_simulation_state": (srv.SetSimulationState, self._set_state),
            "reset_simulation": (srv.ResetSimulation, self._reset),
            "load_world": (srv.LoadWorld, self._load_world),
            "unload_world": (srv.UnloadWorld, self._unload_world),
            "get_current_world": (srv.GetCurrentWorld, self._get_current_world),
            "get_available_worlds": (srv.GetAvailableWorlds, self._get_available_worlds),
            "get_entities": (srv.GetEntities, self._get_entities),
            "get_entities_states": (srv.GetEntitiesStates, self._get_entities_states),
            "get_entity_state": (srv.GetEntityState, self._get_entity_state),
            "get_entity_info": (srv.GetEntityInfo, self._get_entity_info),
        }
        missing = missing_services()
        for kind in _UNSUPPORTED:
            if kind not in missing:
                table[_snake(kind)] = (getattr(srv, kind), self._unsupported(_snake(kind)))
        self._table = table
        if missing:
            running.node.get_logger().info(
                f"the installed simulation_interfaces has no {', '.join(missing)}; the simulator does without"
            )
        # Files of worlds may be large or on a slow disk: they are read beside the threads that serve.
        self._reader = ThreadPoolExecutor(1, "worlds")
        self._services: list[Any] = []
        self._steps = SimulatorSteps(running, executor, self._simulation)

    def begin(self) -> None:
        """Load the world of the parameters, if any, and pause in it; then offer the services.

        Who waits for a service finds a simulator that is ready. Raises LingbotError for a world that cannot be loaded.
        """
        name = self._running.config.simulator.world
        if name and self._simulation.world is None:
            world = self._shelf.read(name)
            self._running.worker.submit(lambda served: self._begin_in(served, world)).result()
        create, profile = self._running.node.create_service, qos.requests(self._running.config.worker.limits.requests)
        group = self._running.requests
        self._services = [
            create(kind, name, self._answering(name, handler), qos_profile=profile, callback_group=group)
            for name, (kind, handler) in self._table.items()
        ]
        self._steps.begin()

    def let_go(self) -> None:
        """Those who wait for a frame need not wait any more: the node is not active."""
        self._steps.published.close()

    def end(self) -> None:
        """Withdraw the services; the world stays."""
        self._steps.end()
        for service in self._services:
            self._running.node.destroy_service(service)
        self._services = []

    def _begin_in(self, served: ServedWorld, world: Scene) -> None:
        self._simulation.load(served, world)
        self._simulation.set_state(served, SimulationState.PAUSED)

    def on_frame(self, record: FrameRecord) -> None:
        """On the pacer's thread, after a frame was published."""
        self._clock.on_frame(record)
        self._newest = record, self._newest[0]
        if record.session_id == SESSION:
            self._steps.published.on_frame(record)

    def destroy(self) -> None:
        self.end()
        self._reader.shutdown(wait=False)
        self._clock.destroy()

    def _answering(self, name: str, handler: Callable[[Any, Any], Awaitable[None]]) -> Callable[[Any, Any], Any]:
        async def answer(request: Any, response: Any) -> Any:
            if hasattr(response, "result"):
                response.result = messages.ok()
            try:
                if name != "get_simulator_features":
                    self._running.require_active()
                await handler(request, response)
            except Exception as error:  # the boundary to the client: it gets the code, the log gets the traceback
                self._running.refuse(name, error)
                response.result = messages.failed(error)
            return response

        return answer

    async def _on_worker(self, call: Callable[[ServedWorld], T]) -> T:
        return await on_worker(self._executor, self._running.worker.submit(call))

    async def _get_features(self, _: Any, response: srv.GetSimulatorFeatures.Response) -> None:
        response.features = messages.features(self._running.info, missing_services())

    async def _get_state(self, _: Any, response: srv.GetSimulationState.Response) -> None:
        response.state.state = int(self._simulation.state)

    async def _set_state(self, request: srv.SetSimulationState.Request, _: Any) -> None:
        wanted = request.state.state
        await self._on_worker(lambda served: self._simulation.set_state(served, wanted))
        if wanted == SimulationState.QUITTING:
            # The answer leaves first; the executor then ends, and with it the process, as on a signal.
            threading.Timer(_QUIT_S, self._running.node.context.try_shutdown).start()

    async def _reset(self, request: srv.ResetSimulation.Request, response: srv.ResetSimulation.Response) -> None:
        kinds = srv.ResetSimulation.Request
        scope = request.scope or kinds.SCOPE_ALL
        if scope != kinds.SCOPE_ALL and scope & ~(kinds.SCOPE_TIME | kinds.SCOPE_STATE | kinds.SCOPE_SPAWNED):
            raise InputError("scope", scope, "add up 1 (time), 2 (state) and 4 (spawned), or give 255 for all")
        of_time, of_state = bool(scope & kinds.SCOPE_TIME), bool(scope & kinds.SCOPE_STATE)
        await self._on_worker(lambda served: self._simulation.reset(served, of_time=of_time, of_state=of_state))
        if of_time:
            self._clock.set_back()

    async def _load_world(self, request: srv.LoadWorld.Request, response: srv.LoadWorld.Response) -> None:
        # Release 2 of the interfaces has a Resource where release 1 has its two fields.
        resource = getattr(request, "world_resource", request)
        strict = request.fail_on_unsupported_element
        if resource.uri:
            reading = self._reader.submit(self._shelf.read, resource.uri, strict=strict)
        else:
            reading = self._reader.submit(parse_scene, resource.resource_string, strict=strict)
        world = await on_worker(self._executor, reading)
        await self._on_worker(lambda served: self._simulation.load(served, world))
        self._clock.set_back()
        response.world = messages.world_resource(world)

    async def _unload_world(self, _: Any, response: srv.UnloadWorld.Response) -> None:
        if self._simulation.world is None:
            response.result = _no_world(srv.UnloadWorld.Response.NO_WORLD_LOADED)
            return
        await self._on_worker(self._simulation.unload)

    async def _get_current_world(self, _: Any, response: srv.GetCurrentWorld.Response) -> None:
        world = self._simulation.world
        if world is None:
            response.result = _no_world(srv.GetCurrentWorld.Response.NO_WORLD_LOADED)
            return
        response.world = messages.world_resource(world)

    async def _get_available_worlds(
        self, request: srv.GetAvailableWorlds.Request, response: srv.GetAvailableWorlds.Response
    ) -> None:
        reading = self._reader.submit(self._shelf.worlds, request.additional_sources)
        worlds = await on_worker(self._executor, reading)
        response.worlds = [
            messages.world_resource(world)
            for world in worlds
            if world.model == self._running.info.name and _has_tags(request.filter, world.tags)
        ]

    async def _get_entities(self, request: srv.GetEntities.Request, response: srv.GetEntities.Response) -> None:
        response.entities = [CAMERA] if self._passes(request.filters) else []

    async def _get_entities_states(
        self, request: srv.GetEntitiesStates.Request, response: srv.GetEntitiesStates.Response
    ) -> None:
        if self._passes(request.filters):
            response.entities, response.states = [CAMERA], [self._camera_state()]

    async def _get_entity_state(
        self, request: srv.GetEntityState.Request, response: srv.GetEntityState.Response
    ) -> None:
        if request.entity == CAMERA and self._simulation.world is not None:
            response.state = self._camera_state()
        else:
            response.result = self._not_found(request.entity)

    async def _get_entity_info(self, request: srv.GetEntityInfo.Request, response: srv.GetEntityInfo.Response) -> None:
        if request.entity == CAMERA and self._simulation.world is not None:
            moves = self._running.info.control.kind == "camera"
            said = "the imagined camera; its pose is what was commanded" if moves else "the camera, which does not move"
            response.info = EntityInfo(category=self._category(), description=said, tags=list(_CAMERA_TAGS))
        else:
            response.result = self._not_found(request.entity)

    def _unsupported(self, name: str) -> Callable[[Any, Any], Awaitable[None]]:
        async def answer(_: Any, response: Any) -> None:
            response.result = messages.unsupported(name)

        return answer

    def _camera_state(self) -> EntityState:
        newest, before = self._newest
        return messages.camera_state(newest, before, self._running.info.fps, self._running.config.map_frame)

    def _category(self) -> EntityCategory:
        moves = self._running.info.control.kind == "camera"
        kind = EntityCategory.CATEGORY_ROBOT if moves else EntityCategory.CATEGORY_STATIC_OBJECT
        return EntityCategory(category=kind)

    def _passes(self, filters: EntityFilters) -> bool:
        """Whether the camera does, which is there while a world is. Raises LingbotError for what cannot be asked."""
        if filters.bounds.type != Bounds.TYPE_EMPTY:
            raise InputError("filters.bounds", "bounds", "leave it empty: entities of an imagined world have none")
        if self._simulation.world is None:
            return False
        try:
            named = re.fullmatch(filters.filter, CAMERA) is not None if filters.filter else True
        except re.error as error:
            raise InputError("filters.filter", filters.filter, f"give a regular expression ({error})") from error
        of_kind = not filters.categories or self._category() in filters.categories
        return named and of_kind and _has_tags(filters.tags, _CAMERA_TAGS)

    def _not_found(self, entity: str) -> Any:
        known = f"'{CAMERA}'" if self._simulation.world is not None else "none: no world is loaded"
        return messages.Result(
            result=messages.Result.RESULT_NOT_FOUND,
            error_message=str(InputError("entity", f"'{entity}'", f"entities: {known}")),
        )


def _no_world(code: int) -> Any:
    return messages.Result(result=code, error_message="no world is loaded; call load_world first")


def _has_tags(wanted: TagsFilter, tags: tuple[str, ...]) -> bool:
    if not wanted.tags:
        return True
    found = [tag in tags for tag in wanted.tags]
    return all(found) if wanted.filter_mode == TagsFilter.FILTER_MODE_ALL else any(found)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
