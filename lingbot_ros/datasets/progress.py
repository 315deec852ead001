"""How every data set shows that it is being made."""

from collections.abc import Iterable

from tqdm import tqdm


def made_all(made: Iterable[int], total: int, left: int, unit: str) -> bool:
    """Make the `left` of `total` parts under a bar; `made` makes some at a time and says how many.

    False when Ctrl-C ended it; what to do is then printed.
    """
    with tqdm(total=total, initial=total - left, unit=unit, smoothing=0.1) as bar:
        try:
            for count in made:
                bar.update(count)
        except KeyboardInterrupt:
            bar.close()
            print(f"interrupted with {bar.n} of {total} {unit}s; repeat the same command to resume")
            return False
    return True
