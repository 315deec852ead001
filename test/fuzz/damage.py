"""Seeded damage to files: bits, bytes, cuts, repeats, and words of a text that say something else."""

import random
import re

WORDS = (
    *("null", "true", "-1", "0", "1e999", ".nan", "[]", "{}", "''", "1e-400", "99999999999999999999", "!!binary x"),
    *("&a [*a]", "2026-11-29", "0x7fffffffffffffff", "~", "'\\ud800'", "- ", ": ", "[[[[", "NaN", "-Infinity"),
)


def damaged_bytes(data: bytes, chance: random.Random) -> bytes:
    """Another file: the same with one kind of damage, or two."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2))):
        at, kind = chance.randrange(len(changed) or 1), chance.randrange(7)
        length = chance.choice((1, 2, 4, 8, 64, 1000))
        if kind == 0:
            for place in chance.sample(range(len(changed)), min(len(changed), chance.randint(1, 20))):
                changed[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del changed[at:]
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = chance.randbytes(length)
        elif kind == 4:
            changed[at : at + length] = changed[chance.randrange(len(changed) or 1) :][:length]
        elif kind == 5:  # lengths and counts are often four or eight bytes
            width = chance.choice((2, 4, 8))
            changed[at : at + width] = chance.choice((b"\xff" * width, bytes(width), b"\x7f" + b"\xff" * (width - 1)))
        else:
            changed += changed[at:]
    return bytes(changed)


def damaged_text(text: str, chance: random.Random) -> str:
    """Another text: values replaced by words that mean something else, lines doubled, dropped, or moved."""
    lines = text.splitlines()
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, kind = chance.randrange(len(lines)), chance.randrange(6)
        word = chance.choice(WORDS)
        if kind <= 2:
            values = list(re.finditer(r"[^\s:,\[\]{}]+(?=[\s,\]}]|$)", lines[at]))
            if values:
                value = chance.choice(values)
                lines[at] = lines[at][: value.start()] + word + lines[at][value.end() :]
        elif kind == 3:
            del lines[at]
        elif kind == 4:
            lines.insert(chance.randrange(len(lines)), lines[at])
        else:
            lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)] + word
        lines = lines or [""]
    return "\n".join(lines) + "\n"
