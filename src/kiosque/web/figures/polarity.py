"""Shares, net polarity and its confidence band: the numbers behind every chart of tone."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959964
"""Half-width, in standard errors, of a 95 % interval of the normal distribution."""
PRIOR = 1.0
"""Neutral articles added before the error is estimated, so that one article has no error of zero."""


@dataclass(frozen=True, slots=True)
class Tone:
    """Articles that speak of someone, by polarity."""

    negative: int
    neutral: int
    positive: int

    @property
    def total(self) -> int:
        return self.negative + self.neutral + self.positive

    @property
    def net(self) -> float | None:
        """Share of positive minus share of negative, -1 to 1; None without articles."""
        return (self.positive - self.negative) / self.total if self.total else None

    def share(self, count: int) -> float:
        return count / self.total if self.total else 0.0

    @property
    def error(self) -> float:
        """Standard error of `net`.

        `net` is the mean of +1, 0 and -1; its standard error is sqrt((p + n - net²) / N), with the shares p and n
        of positive and negative articles estimated with a few neutral ones added (see PRIOR).
        """
        size = self.total + PRIOR
        net = (self.positive - self.negative) / size
        variance = (self.positive + self.negative + PRIOR / 2) / size - net**2
        return sqrt(max(variance, 0.0) / size)

    @property
    def band(self) -> tuple[float, float] | None:
        """95 % interval of `net`, within -1 and 1; None without articles."""
        if self.net is None:
            return None
        reach = Z95 * self.error
        return max(-1.0, self.net - reach), min(1.0, self.net + reach)
