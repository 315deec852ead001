"""Sentences about events, to train and test the reader of prompts. Those for tests share no pattern with the others."""

import re

import numpy as np

from lingbot_ros.model.scene.events import COLOURS, Event

_LIGHT = {
    "bright": [
        "the lights are turned up", "bright light", "a brightly lit room", "the room gets brighter", "full daylight",
        "someone switches on a strong lamp", "everything is bright", "very bright lighting", "the lamp shines brightly",
        "more light", "sunlight floods the room", "a bright day", "make it brighter", "brighten the room",
    ],
    "dim": [
        "the lights are dimmed", "dim light", "the room is dimly lit", "it is dusk", "the light fades a little",
        "a weak lamp", "twilight", "low light", "half light", "make it dimmer", "dim the lights", "gloomy light",
        "the lamps burn low", "less light", "evening light", "candle light", "it gets a bit darker",
    ],
    "dark": [
        "the lights go out", "it is dark", "a dark room", "night", "at night", "the power fails", "pitch dark",
        "almost no light", "the lamps are switched off", "darkness falls", "midnight", "turn off the lights",
        "very dark", "the room goes dark", "blackout", "lights off", "nobody left the light on",
    ],
}  # fmt: skip
_FOG = {
    "thin": [
        "a light fog", "thin fog", "light mist", "a bit of haze", "some mist in the air", "slightly foggy", "hazy air",
        "a little smoke", "faint mist", "thin smoke drifts through the room", "mist", "it is misty", "a veil of haze",
    ],
    "thick": [
        "thick fog", "dense fog", "the room fills with smoke", "heavy smoke", "fog", "it is foggy", "fog rolls in",
        "one can hardly see through the fog", "dense mist", "the air is full of smoke", "very foggy",
        "smoke everywhere", "a thick cloud of smoke", "fog fills the room", "smoke", "a lot of fog",
    ],
}  # fmt: skip
_WALLS = [
    "{c} walls", "the walls are {c}", "the walls turn {c}", "walls painted {c}", "the walls are painted {c}",
    "paint the walls {c}", "a room with {c} walls", "{c} paint on the walls", "all walls become {c}",
    "the wall is {c}", "make the walls {c}", "{c} wallpaper", "the walls change to {c}", "every wall is {c}",
    "a {c} room", "the colour of the walls is {c}",
]  # fmt: skip
_THINGS = {
    "box": ["box", "cube", "crate", "block"],
    "ball": ["ball", "sphere", "football", "globe"],
}
_APPEARS = [
    "a {t} appears", "a {t} on the floor", "there is a {t}", "a {t} stands ahead", "a {t} in front of the camera",
    "put a {t} here", "someone leaves a {t} on the floor", "a {t}", "with a {t} in the room", "a {t} lies ahead",
    "suddenly a {t} is in the way", "place a {t} in the room", "add a {t}", "a {t} drops from above",
]  # fmt: skip
_NEUTRAL = [
    "no fog", "the fog lifts", "clear air", "without fog", "a normal room", "an ordinary room", "everything as before",
    "as it was", "normal light", "the lights are normal", "no smoke", "nothing changes", "the walls as they were",
    "the box is gone", "no box", "no ball", "remove the ball", "an empty room", "usual lighting", "nothing special",
    "the smoke clears", "the mist has gone", "the room as it is", "take the box away",
]  # fmt: skip
_OTHER = [
    "a dog runs by", "push the block to the goal", "rain falls on the street", "a man opens the door", "hello",
    "drive forward", "turn left at the corner", "a city at the sea", "the robot picks up a cup", "open the window",
    "a forest in autumn", "two cats on a sofa", "play music", "go to the kitchen", "a car passes", "snow",
    "earthquake", "the floor is lava", "a table with chairs", "write a poem", "how are you", "first person view",
    "a woman walks through the room", "the camera moves fast", "an explosion", "a plane in the sky", "test",
    "water rises", "the ceiling collapses", "a painting on an easel", "move the arm down", "birds", "a mirror",
    "fire", "grass grows", "a long corridor", "a spaceship", "steps lead down", "a photo of a mountain", "flowers",
    "pick up the red cup", "a green tree", "a blue car", "the yellow bus stops", "purple hair", "a grey cat",
    "follow the wall", "stop", "the plant is high", "a lighthouse on a rock", "a fox", "a boxer", "call me",
]  # fmt: skip

_FILLERS = re.findall(
    r"\w+",
    "now then here again soon slowly quickly all of the this that one in on at over behind between before us me we it "
    "its our still just really quite please suddenly finally inside house hall place scene picture moment around whole "
    "looks becomes was were has been gets stays seems is are look somebody today old new large small side corner",
)
_NOUNS = re.findall(
    r"\w+",
    "cup table chair window door tree street dog bird robot arm river mountain car train sofa lake garden bread lamb "
    "drawer shelf horse boat bridge shoe tower clock guitar hat letter plate spoon towel king farmer child goal target",
)
_VERBS = re.findall(
    r"\w+",
    "opens takes pushes sits runs flies grasps sings carries drops reads follows leaves swims waits reaches",
)

_HELD_OUT: list[tuple[str, Event | None]] = [
    ("It is a dark night.", Event(light="dark")),
    ("Somebody turned the lights off", Event(light="dark")),
    ("the light is very dim", Event(light="dim")),
    ("dimmed lamps", Event(light="dim")),
    ("the room becomes bright", Event(light="bright")),
    ("bright daylight in the room", Event(light="bright")),
    ("Dense smoke fills the hall", Event(fog="thick")),
    ("there is thick fog in the room", Event(fog="thick")),
    ("a light haze", Event(fog="thin")),
    ("slight mist", Event(fog="thin")),
    *[(f"All of the walls were painted {c}.", Event(walls=c)) for c in COLOURS],
    *[(f"now the walls look {c}", Event(walls=c)) for c in COLOURS],
    *[(f"a {c} cube stands on the floor", Event(thing="box", thing_colour=c)) for c in COLOURS],
    *[(f"In front of us appears a {c} ball!", Event(thing="ball", thing_colour=c)) for c in COLOURS],
    ("red walls in thick fog", Event(walls="red", fog="thick")),
    ("a dim room with blue walls", Event(light="dim", walls="blue")),
    ("at night, a green box appears between grey walls", Event("dark", "none", "grey", "box", "green")),
    ("yellow walls and a purple ball", Event(walls="yellow", thing="ball", thing_colour="purple")),
    ("purple walls and a yellow ball", Event(walls="purple", thing="ball", thing_colour="yellow")),
    ("blue walls, a red box on the floor", Event(walls="blue", thing="box", thing_colour="red")),
    ("there is no fog", Event()),
    ("the fog has lifted", Event()),
    ("an ordinary room as before", Event()),
    ("a cat sits on the sofa", None),
    ("push the T to the goal", None),
    ("drive to the left", None),
    ("a street in the rain", None),
    ("a mountain lake", None),
    ("the robot opens a drawer", None),
]


def held_out() -> list[tuple[str, Event | None]]:
    """Sentences that no training saw, with what they mean; None: nothing that a room can show."""
    return list(_HELD_OUT)


def draw_phrasing(rng: np.random.Generator) -> tuple[str, Event | None]:
    """A sentence of one to three clauses, at times with a slip of the pen, and what it means."""
    kind = rng.random()
    if kind < 0.25:
        noun, other, verb = str(rng.choice(_NOUNS)), str(rng.choice(_NOUNS)), str(rng.choice(_VERBS))
        text = str(rng.choice((str(rng.choice(_OTHER)), f"a {noun} {verb} the {other}", f"the {noun} on the {other}")))
        return _written(text, rng), None
    if kind < 0.35:
        return _written(str(rng.choice(_NEUTRAL)), rng), Event()
    said: dict[str, str] = {}
    clauses = []
    for field in rng.permutation(["light", "fog", "walls", "thing"])[: int(rng.choice((1, 1, 2, 2, 3)))]:
        clauses.append(_clause(str(field), said, rng))
    return _written(str(rng.choice((", ", " and ", ". ", "; ", " with "))).join(clauses), rng), Event(**said)


def _clause(field: str, said: dict[str, str], rng: np.random.Generator) -> str:
    colour = str(rng.choice(COLOURS))
    if field == "walls":
        said["walls"] = colour
        return str(rng.choice(_WALLS)).format(c=colour)
    if field == "thing":
        said["thing"] = str(rng.choice(list(_THINGS)))
        name, shows_colour = str(rng.choice(_THINGS[said["thing"]])), rng.random() < 0.85
        said["thing_colour"] = colour if shows_colour else "red"
        return str(rng.choice(_APPEARS)).format(t=f"{colour} {name}" if shows_colour else name)
    known = _LIGHT if field == "light" else _FOG
    said[field] = str(rng.choice(list(known)))
    return str(rng.choice(known[said[field]]))


def _filled(text: str, rng: np.random.Generator) -> str:
    """With words in between that say nothing, some of them made up."""
    words = text.split()
    for _ in range(int(rng.integers(0, 4))):
        made_up = "".join(chr(97 + int(letter)) for letter in rng.integers(26, size=int(rng.integers(2, 8))))
        word = made_up if rng.random() < 0.3 else _FILLERS[int(rng.integers(len(_FILLERS)))]
        words.insert(int(rng.choice((0, len(words), int(rng.integers(len(words) + 1))))), word)
    return " ".join(words)


def _written(text: str, rng: np.random.Generator) -> str:
    text = _filled(text, rng)
    if rng.random() < 0.15:
        at = int(rng.integers(len(text)))
        text = text[:at] + text[at + 1 :]
    if rng.random() < 0.3:
        text = text[:1].upper() + text[1:] + "."
    return text
