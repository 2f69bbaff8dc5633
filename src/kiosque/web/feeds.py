"""What the feeds hold: the articles of a search, what an alert fired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kiosque.api.feed_tokens import FeedOf, feed_path
from kiosque.core.clock import rfc3339
from kiosque.pipeline.alert_messages import sentence
from kiosque.store import alert_events, articles, mentions
from kiosque.store.alerts import Alert
from kiosque.store.articles import ArticleFilter, Sort, StoredArticle
from kiosque.store.mentions import StoredMention
from kiosque.store.tx import Tx
from kiosque.web.feed import Feed, Item, anchor, newest, paragraph

LENGTH = 50
"""Entries in a feed."""


def feed_of_articles(tx: Tx, where: ArticleFilter, sort: Sort, path: str, title: str = "Articles") -> Feed:
    """The first articles of a search; `path` is the page that lists them all."""
    found = articles.page(tx, where, sort=sort, limit=LENGTH).items
    named = mentions.of_articles(tx, [each.pk for each in found], model_version=where.model_version)
    return Feed(
        title=f"{title} · Kiosque",
        path=path,
        own_path="/articles.rss",
        description="Articles that a search of Kiosque finds, with whom they name and how they speak of them.",
        items=[_article(stored, named.get(stored.pk, ())) for stored in found],
        changed_at=newest(moment for each in found for moment in _moments(each)),
    )


def feed_of_alert(tx: Tx, alert: Alert) -> Feed:
    """What an alert fired, newest first."""
    events = alert_events.page(tx, alert.id, limit=LENGTH).items
    items = [
        Item(
            id=f"urn:kiosque:alert-event:{event.id}",
            title=sentence(alert, event.fired),
            path=f"/alerts/{alert.id}",
            published_at=event.fired_at,
            html=paragraph(alert.name) + paragraph(f"Fired at {rfc3339(event.fired_at)}."),
        )
        for event in events
    ]
    return Feed(
        title=f"{alert.name} · Kiosque",
        path=f"/alerts/{alert.id}",
        own_path=feed_path(FeedOf.ALERT, alert.id),
        description=f"When the alert on {alert.entity_name} fired.",
        items=items,
        changed_at=newest([alert.created_at, *(event.fired_at for event in events)]),
    )


def _moments(stored: StoredArticle) -> list[datetime]:
    return [stored.first_seen_at, *([stored.updated_at] if stored.updated_at else [])]


def _article(stored: StoredArticle, named: Sequence[StoredMention]) -> Item:
    article = stored.article
    people = (f"{each.entity_name}: {each.mention.polarity or 'not scored'}" for each in named)
    html = paragraph(article.abstract) if article.abstract else ""
    if named:
        html += paragraph("; ".join(people) + ".")
    origin = anchor(article.url, article.source) if article.url else paragraph(article.source)
    return Item(
        id=f"urn:kiosque:article:{article.id}",
        title=article.headline or article.abstract,
        path=f"/articles/{article.id}",
        published_at=article.published_at,
        html=html + origin,
        categories=tuple(each.entity_name for each in named),
    )
