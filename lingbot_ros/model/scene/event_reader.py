"""A prompt -> an `Event`: a small network over words, each the mean of hashed pieces of its letters.

It says as well whether the words are about such events at all, so that what it cannot read is refused and not ignored.
"""

import functools
import re
import zlib

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.errors import InputError
from lingbot_ros.model.scene.events import CHOICES, Event

_BUCKETS, _EMBEDDED, _WIDTH = 2048, 24, 64
_WORDS, _PIECES = 48, 24
_ABOUT = "about_events"
_READS = "light (bright, dim, dark), fog (thin, thick), the walls' colour, or a box or ball that appears"


class EventReader(nn.Module):
    """See the module. `forward` takes what `pieces_of` gives, stacked: int64 [B, 48, 24]."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.EmbeddingBag(_BUCKETS + 1, _EMBEDDED, mode="mean", padding_idx=0)
        self.near = nn.Conv1d(_EMBEDDED, _WIDTH, 5, padding=2)
        self.far = nn.Conv1d(_WIDTH, _WIDTH, 3, padding=2, dilation=2)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(_WIDTH, len(known)) for name, known in CHOICES.items()} | {_ABOUT: nn.Linear(_WIDTH, 2)}
        )

    def forward(self, pieces: Tensor) -> dict[str, Tensor]:
        """Logits by field of an event [B, choices], and of whether the text is about events [B, 2]."""
        longest = max(1, int((pieces[..., 0] > 0).sum(1).max()))
        pieces = pieces[:, :longest]
        words = self.embed(pieces.flatten(0, 1)).unflatten(0, pieces.shape[:2])
        there = (pieces[..., 0] > 0)[:, None]
        x = F.relu(self.near(words.transpose(1, 2))) * there
        x = (x + F.relu(self.far(x))) * there
        pooled = x.amax(-1)
        return {name: head(pooled) for name, head in self.heads.items()}

    def loss(self, texts: list[str], events: list[Event | None]) -> Tensor:
        """Of prompts with what they mean; None: they are about something else."""
        logits = self(torch.stack([pieces_of(text) for text in texts]))
        about = torch.tensor([event is not None for event in events])
        total = F.cross_entropy(logits[_ABOUT], about.long())
        for name, known in CHOICES.items():
            wanted = [-1 if event is None else known.index(getattr(event, name)) for event in events]
            if name == "thing_colour":
                wanted = [w if event and event.thing != "none" else -1 for w, event in zip(wanted, events, strict=True)]
            if max(wanted) >= 0:
                total = total + F.cross_entropy(logits[name], torch.tensor(wanted), ignore_index=-1)
        return total

    @torch.inference_mode()
    def read(self, prompt: str) -> Event:
        """The event that a prompt describes; an empty one changes nothing. Raises InputError for other texts."""
        if not prompt.strip():
            return Event()
        logits = self(pieces_of(prompt)[None])
        if int(logits[_ABOUT].argmax()) == 0:
            raise InputError("prompt", repr(prompt), f"this world reads {_READS}; describe one of them")
        return Event(**{name: known[int(logits[name].argmax())] for name, known in CHOICES.items()})


def pieces_of(text: str) -> Tensor:
    """Numbers of the pieces of each word, int64 [48, 24]; 0 where there are no more. Later words are left out."""
    words = re.findall(r"[^\W_]+", text.lower())[:_WORDS]
    return torch.tensor([*map(_pieces_of_word, words), *[(0,) * _PIECES] * (_WORDS - len(words))])


@functools.lru_cache(4096)
def _pieces_of_word(word: str) -> tuple[int, ...]:
    marked = f"<{word}>"
    pieces = [marked, *(marked[i : i + n] for n in (3, 4) for i in range(len(marked) - n + 1))][:_PIECES]
    numbers = [zlib.crc32(piece.encode()) % _BUCKETS + 1 for piece in pieces]
    return (*numbers, *[0] * (_PIECES - len(numbers)))
