"""The numbers behind the pages: who is in the news, how they are spoken of, over time."""

from kiosque.store.figures import (
    Aligned,
    Breakdown,
    Bucket,
    Campaign,
    CampaignLine,
    CampaignWeek,
    Counts,
    Dimension,
    Gap,
    Granularity,
    Intake,
    Overview,
    Ranked,
    Timeline,
    Totals,
)
from kiosque.store.stats.breakdowns import breakdown, breakdowns
from kiosque.store.stats.campaigns import aligned, campaign, campaigns
from kiosque.store.stats.rankings import ranking
from kiosque.store.stats.timelines import compare, spans, timeline
from kiosque.store.stats.totals import (
    articles_between,
    gaps,
    intake,
    newest_day,
    overview,
    period,
    total_articles,
    totals,
)

__all__ = [
    "Aligned",
    "Breakdown",
    "Bucket",
    "Campaign",
    "CampaignLine",
    "CampaignWeek",
    "Counts",
    "Dimension",
    "Gap",
    "Granularity",
    "Intake",
    "Overview",
    "Ranked",
    "Timeline",
    "Totals",
    "aligned",
    "articles_between",
    "breakdown",
    "breakdowns",
    "campaign",
    "campaigns",
    "compare",
    "gaps",
    "intake",
    "newest_day",
    "overview",
    "period",
    "ranking",
    "spans",
    "timeline",
    "total_articles",
    "totals",
]
