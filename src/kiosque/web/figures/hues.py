"""The colour of an entity: the same on every page, whoever stands beside it.

There are eight, told apart by people who see few colours; with more entities than that two can share one. In a chart
the second of the same colour is dashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

COLOURS = 8


@dataclass(frozen=True, slots=True)
class Hue:
    """A colour, 1 to 8, and how its line is drawn: 0 solid, then dashed, dotted …"""

    colour: int
    dash: int = 0

    @property
    def classes(self) -> str:
        """For the style sheet."""
        return f"hue-{self.colour}" + (f" dash-{self.dash}" if self.dash else "")


def hue_of(entity_id: str) -> Hue:
    """By the id alone, so that neither order nor company change it."""
    return Hue(crc32(entity_id.encode()) % COLOURS + 1)


def hues_of(entity_ids: Sequence[str]) -> list[Hue]:
    """Of entities in one chart; the same one twice (in two years) is told apart like two of one colour."""
    taken: dict[int, int] = {}
    hues = []
    for entity_id in entity_ids:
        colour = hue_of(entity_id).colour
        hues.append(Hue(colour, taken.get(colour, 0)))
        taken[colour] = taken.get(colour, 0) + 1
    return hues
