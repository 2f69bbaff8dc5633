"""How much room a chart has. A server does not know how wide a screen is: it draws two, the style sheet shows one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """Measures in the chart's own pixels."""

    width: float
    left: float
    right: float
    """Room beside what is drawn, for numbers and names."""
    ticks: int
    """Into how many stretches the axis of time is cut at most."""
    apart: float
    """Between the middles of two words that stand side by side."""
    narrowest: float
    """Of a stretch that can still be pointed at."""
    is_narrow: bool = False
    """Then names have no room at the ends of lines, and stand below."""

    def kind(self, name: str) -> str:
        """The class of the chart: its name, or that it is the narrow one."""
        return "narrow" if self.is_narrow else name


WIDE = Frame(960.0, 44.0, 20.0, ticks=12, apart=34.0, narrowest=3.0)
WIDE_WITH_NAMES = Frame(960.0, 52.0, 200.0, ticks=12, apart=34.0, narrowest=3.0)
NARROW = Frame(400.0, 46.0, 26.0, ticks=5, apart=70.0, narrowest=6.0, is_narrow=True)
"""For phones, whose pixels are about as many: what is written in it keeps its size."""
