"""docs/model_spec.md: every citation in the tree finds its section, and what it says of cards and keys is so."""

import re
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.checkpoints.cards import ModelCard, list_cards
from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.control.poses import framewise_steps, interpolate_poses, longest_step, resample_path
from lingbot_ros.model.config import RayControlConfig
from lingbot_ros.model.sampler import SamplerConfig

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "model_spec.md"
CITING = ("lingbot_ros", "test", "docs", "models", "benchmarks", "launch", "config")
SCRIPT = "w-8,wl-16,i-8,none-12"

HEADING = re.compile(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", re.MULTILINE)
SECTION = r"\d+(?:\.\d+)?(?:-\d+\.\d+)?(?: steps? \d+(?:-\d+)?)?"
CITATION = re.compile(rf"\(model_spec ({SECTION}(?:, {SECTION})*)\)")
# The same name without the form above: a citation that nothing would check.
MALFORMED = re.compile(rf"\bmodel_spec (?!{SECTION}(?:, {SECTION})*\))|(?<!\()\bmodel_spec \d")
ELSEWHERE = re.compile(r"\bspec(?:ification)? (?:sections? )?\d", re.IGNORECASE)


def sections() -> dict[str, str]:
    """The page's text by section number."""
    parts = HEADING.split(PAGE.read_text())[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def citing_files() -> list[Path]:
    found = (path for folder in CITING for path in sorted((ROOT / folder).rglob("*")))
    return [path for path in found if path.suffix in (".py", ".md", ".yaml") and path != Path(__file__)]


def problems(text: str, known: dict[str, str]) -> list[str]:
    """What is wrong with the citations in a text."""
    found = [f"malformed: {text[match.start() :][:40]!r}" for match in MALFORMED.finditer(text)]
    found += [f"of no page: {match[0]!r}" for match in ELSEWHERE.finditer(text)]
    for citation in CITATION.finditer(text):
        for cited in citation[1].split(", "):
            section, _, steps = cited.partition(" step")
            found += [f"no section {number}" for number in section.split("-") if number not in known]
            items = re.findall(r"^(\d+)\. ", known.get(section, ""), re.MULTILINE)
            found += [f"no step {step} in {section}" for step in re.findall(r"\d+", steps) if step not in items]
    return found


def test_sections_are_numbered_in_order() -> None:
    numbers = HEADING.findall(PAGE.read_text())
    as_tuples = [tuple(map(int, number.split("."))) for number in numbers]
    assert as_tuples == sorted(set(as_tuples))
    assert len(numbers) == len(re.findall(r"^#{2,3} ", PAGE.read_text(), re.MULTILINE))


def test_every_citation_finds_its_section() -> None:
    known, count = sections(), 0
    for path in citing_files():
        text = path.read_text()
        found = problems(text, known)
        assert not found, f"{path}: {found}"
        count += len(CITATION.findall(text))
    assert count > 50


@pytest.mark.parametrize(
    "text",
    ["(model_spec 9.9)", "(model_spec 3.3 step 12)", "(model_spec 3.5-3.99)", "model_spec 3.3", "(model_spec s3)"]
    + [word + " 3.3" for word in ("(spec", "Spec", "specification")],
)
def test_a_citation_that_leads_nowhere_is_found(text: str) -> None:
    assert problems(text, sections())


def rows(section: str) -> dict[str, list[str]]:
    """Rows of a section's tables by the card that they name; a row may name several."""
    lines = [line.strip("| ").split(" | ") for line in sections()[section].splitlines() if line.startswith("| `")]
    return {name: cells[1:] for cells in lines for name in re.findall(r"`([\w.-]+)`", cells[0])}


CARDS = [card for card in list_cards() if card.family == "lingbot-world"]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_table_of_models_says_what_the_cards_say(card: ModelCard) -> None:
    _, sampling, channels, chunk, window, sink, licence = rows("1.1")[card.name]
    assert (int(chunk), int(window), int(sink)) == (card.stream.chunk, card.stream.window, card.stream.sink)
    assert isinstance(card.architecture.control, RayControlConfig)
    assert int(channels) == card.architecture.control.channels
    assert licence == card.licence
    numbers = [float(number) for number in re.findall(r"\d+", sampling)]
    if isinstance(card.sampler, SamplerConfig):
        assert numbers == [len(card.sampler.timesteps)]
    else:
        assert numbers == [card.sampler.steps, card.sampler.guidance]
        steps, shift, guidance, forwards = map(float, rows("4.2")[card.name])
        assert (steps, shift, guidance) == (card.sampler.steps, card.sampler.shift, card.sampler.guidance)
        assert forwards == card.sampler.forwards


@pytest.mark.parametrize(
    "card", [card for card in CARDS if isinstance(card.sampler, SamplerConfig)], ids=lambda card: card.name
)
def test_the_table_of_distilled_samplers_says_what_the_cards_say(card: ModelCard) -> None:
    timesteps, sigmas, renoise = ([float(n) for n in cell.split(", ")] for cell in rows("4.3")[card.name][2:])
    assert isinstance(card.sampler, SamplerConfig)
    assert tuple(timesteps) == card.sampler.timesteps
    assert sigmas == pytest.approx(card.sampler.sigmas, abs=5e-8)
    assert renoise == pytest.approx(card.sampler.renoise, abs=5e-8)


def written(row: str) -> list[list[float]]:
    """The numbers of both columns of a row in 7.2."""
    (line,) = [line for line in sections()["7.2"].splitlines() if line.startswith(f"| {row} |")]
    return [
        [float(number) for number in re.findall(r"-?\d+\.?\d*", cell)] for cell in line.strip("| ").split(" | ")[1:]
    ]


def test_the_example_script_gives_the_written_values() -> None:
    """The official padding fills frames to 4n + 1, ours poses: one idle frame more here, and no pose is cut."""
    frames = parse_key_script(SCRIPT)
    padded = [*frames, frozenset[str]()]
    theirs, ours = script_poses(padded), script_poses(frames)
    assert written("frames, poses") == [[len(padded), len(theirs)], [len(frames), len(ours)]]
    paths = [interpolate_poses(theirs, np.linspace(0, len(theirs) - 1, 12)), resample_path(ours, 12)]
    for column, path in enumerate(paths):
        steps = framewise_steps(path)
        longest = longest_step(steps)
        assert written("longest step between latent frames")[column][0] == pytest.approx(longest, abs=1e-6)
        for latent in (1, 3):
            step = steps[latent, :3, 3] / longest
            assert written(f"step of latent {latent}")[column] == pytest.approx(step, abs=1e-4)
        assert not np.abs(steps[9:12, :3, 3]).max()
    assert np.allclose(theirs[-1], ours[-1])
