"""A drive through a house: from room to room, with turns, looks around and pieces in reverse."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.rooms.simulator.house import Door, House

RADIUS_M = 0.45
"""How near the camera comes to walls and objects."""


@dataclass
class _Leg:
    """What is being done: reach `goal` (x, z), turn by what is left of `turn_rad`, or reverse for `reverse_m`."""

    goal: NDArray[np.float64] | None = None
    turn_rad: float = 0.0
    reverse_m: float = 0.0
    speed: float = 0.8
    turn_rate: float = 0.8


def drive(house: House, rng: np.random.Generator, frames: int, fps: float) -> NDArray[np.float64]:
    """Where the camera is at each frame: float64 [frames, 4] = x, z in metres, yaw and pitch in radians.

    At yaw 0 the camera looks along +x; it turns left as the yaw grows. Pitch is positive upwards.
    """
    driver = _Driver(house, rng)
    poses = np.empty((frames, 4))
    phase, tilt = rng.uniform(0, 2 * np.pi), np.radians(house.camera.tilt_deg)
    for t in range(frames):
        pitch = tilt * np.sin(phase + 0.7 * t / fps)
        poses[t] = driver.x, driver.z, driver.yaw, pitch
        driver.step(1 / fps)
    return poses


class _Driver:
    def __init__(self, house: House, rng: np.random.Generator) -> None:
        self.house, self._rng = house, rng
        self.room = int(rng.integers(len(house.rooms)))
        self.x, self.z = self._free_point(self.room)
        area = house.rooms[self.room]
        centre = (area.min_x + area.max_x) / 2 - self.x, (area.min_z + area.max_z) / 2 - self.z
        self.yaw = float(np.arctan2(-centre[1], centre[0]) + rng.normal(0, 0.4))  # a first view that shows the room
        self._legs: list[_Leg] = []
        self._turning = 0.0  # radians per second, smoothed

    def step(self, dt: float) -> None:
        if not self._legs:
            self._legs = self._plan()
        leg = self._legs[0]
        speed, wanted = self._command(leg, dt)
        self._turning += float(np.clip(wanted - self._turning, -3 * dt, 3 * dt))
        self.yaw += self._turning * dt
        x, z = self.x + np.cos(self.yaw) * speed * dt, self.z - np.sin(self.yaw) * speed * dt
        if self.house.is_free(x, z, RADIUS_M):
            self.x, self.z = float(x), float(z)
        else:
            self._legs = [_Leg(turn_rad=float(self._rng.choice((-1, 1)) * self._rng.uniform(1.2, 2.6)))]

    def _command(self, leg: _Leg, dt: float) -> tuple[float, float]:
        """Speed in m/s and turning in rad/s; ends the leg when it is done."""
        if leg.goal is not None:
            dx, dz = leg.goal[0] - self.x, leg.goal[1] - self.z
            if np.hypot(dx, dz) < 0.25:
                self._legs.pop(0)
                return 0.0, 0.0
            error = (np.arctan2(-dz, dx) - self.yaw + np.pi) % (2 * np.pi) - np.pi
            turn = float(np.clip(2.5 * error, -leg.turn_rate, leg.turn_rate))
            return leg.speed * max(0.0, float(np.cos(error))) ** 3, turn
        if leg.reverse_m > 0:
            leg.reverse_m -= leg.speed * dt
            if leg.reverse_m <= 0:
                self._legs.pop(0)
            return -leg.speed, 0.0
        done = np.sign(leg.turn_rad) * min(abs(leg.turn_rad), abs(leg.turn_rate * dt))
        leg.turn_rad -= done
        if abs(leg.turn_rad) < 1e-3:
            self._legs.pop(0)
        return 0.0, float(done / dt)

    def _plan(self) -> list[_Leg]:
        rng = self._rng
        speed, rate = float(rng.uniform(0.4, 1.2)), float(rng.uniform(0.35, 1.05))
        doors = [door for door in self.house.doors if self.room in (door.first, door.second)]
        what = rng.random()
        if what < 0.12:
            return [_Leg(turn_rad=float(rng.choice((-1, 1)) * rng.uniform(0.8, 3.1)), turn_rate=rate)]
        if what < 0.2:
            return [_Leg(reverse_m=float(rng.uniform(0.4, 1.5)), speed=min(speed, 0.7))]
        if what < 0.7:
            goals = self._through(doors[int(rng.integers(len(doors)))])
        else:
            goals = [np.array(self._free_point(self.room))]
        return [_Leg(goal=goal, speed=speed, turn_rate=rate) for goal in goals]

    def _through(self, door: Door) -> list[NDArray[np.float64]]:
        p = door.passage
        middle = np.array([(p.min_x + p.max_x) / 2, (p.min_z + p.max_z) / 2])
        half = np.array([p.max_x - p.min_x, 0.0]) if door.along_x else np.array([0.0, p.max_z - p.min_z])
        ends = [middle - half / 2 - np.sign(half) * 0.8, middle + half / 2 + np.sign(half) * 0.8]
        if self.room == door.second:
            ends.reverse()
        self.room = door.second if self.room == door.first else door.first
        return [*ends, np.array(self._free_point(self.room))]

    def _free_point(self, room: int) -> tuple[float, float]:
        area = self.house.rooms[room]
        while True:
            x = float(self._rng.uniform(area.min_x + 0.8, area.max_x - 0.8))
            z = float(self._rng.uniform(area.min_z + 0.8, area.max_z - 0.8))
            if self.house.is_free(x, z, RADIUS_M + 0.1):
                return x, z
