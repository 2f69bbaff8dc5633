"""The metrics of every process, in one place, so that their names stay one vocabulary.

Buckets are chosen per quantity: a model call takes milliseconds, a poll seconds, an article's way
through the house minutes.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_MILLISECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_AGES = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """One set of metrics with a registry of its own: tests make as many as they like."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        # http
        self.http_requests = Counter(
            "kiosque_http_requests", "HTTP requests answered.", ["method", "route", "status"], registry=r
        )
        self.http_seconds = Histogram(
            "kiosque_http_request_seconds",
            "Time to answer an HTTP request.",
            ["method", "route"],
            buckets=_MILLISECONDS,
            registry=r,
        )
        # producer
        self.polls = Counter(
            "kiosque_polls", "Polls of a source, by outcome.", ["source", "outcome"], registry=r
        )
        self.poll_seconds = Histogram(
            "kiosque_poll_seconds", "Time that a poll took.", ["source"], buckets=_SECONDS, registry=r
        )
        self.published = Counter(
            "kiosque_articles_published", "Articles put on the bus.", ["source"], registry=r
        )
        self.held = Gauge(
            "kiosque_articles_held", "Articles fetched that wait for the bus to take them.", registry=r
        )
        self.skipped = Counter(
            "kiosque_documents_skipped",
            "Documents that are no article, by reason.",
            ["source", "reason"],
            registry=r,
        )
        self.quota_left = Gauge("kiosque_quota_left", "Requests left.", ["quota", "window"], registry=r)
        # consumer
        self.consumed = Counter(
            "kiosque_articles_consumed", "Articles handled, by outcome.", ["outcome"], registry=r
        )
        self.consume_seconds = Histogram(
            "kiosque_consume_batch_seconds", "Time to handle one batch.", buckets=_SECONDS, registry=r
        )
        self.article_age = Histogram(
            "kiosque_article_age_seconds",
            "Age of an article when it was stored; only those younger than a day at publication count.",
            buckets=_AGES,
            registry=r,
        )
        self.mentions = Counter(
            "kiosque_mentions", "Mentions stored.", ["model_version", "polarity"], registry=r
        )
        self.ambiguous = Counter(
            "kiosque_ambiguous_names",
            "Names that were ambiguous on their day and gave no mention.",
            registry=r,
        )
        self.dead_letters = Counter("kiosque_dead_letters", "Messages given up.", ["reason"], registry=r)
        self.lag_pending = Gauge("kiosque_lag_pending", "Messages waiting on the bus.", registry=r)
        self.lag_in_flight = Gauge("kiosque_lag_in_flight", "Messages handed out, not settled.", registry=r)
        # alerts
        self.alert_events = Counter(
            "kiosque_alert_events", "Windows for which an alert fired.", ["measure", "kind"], registry=r
        )
        self.alert_deliveries = Counter(
            "kiosque_alert_deliveries",
            "Tries to send what fired, by outcome: delivered, failed (tried again later), dead (given up).",
            ["channel", "outcome"],
            registry=r,
        )
        self.alert_outbox = Gauge(
            "kiosque_alert_outbox", "Messages of alerts that are still to be sent.", registry=r
        )
        self.alert_seconds = Histogram(
            "kiosque_alert_round_seconds",
            "Time to look at every alert once.",
            buckets=_SECONDS,
            registry=r,
        )
        # predict
        self.predictions = Counter(
            "kiosque_predictions", "Targets scored.", ["model_version", "polarity"], registry=r
        )
        self.predict_seconds = Histogram(
            "kiosque_predict_seconds", "Time of one model call.", ["model"], buckets=_MILLISECONDS, registry=r
        )
        self.predict_batch = Histogram(
            "kiosque_predict_batch_size", "Targets scored together.", buckets=_BATCHES, registry=r
        )
        self.model_swaps = Counter(
            "kiosque_model_swaps", "Versions taken into service or refused.", ["model", "outcome"], registry=r
        )
        self.model_info = Gauge(
            "kiosque_model_info", "1 for the version that answers.", ["model", "version"], registry=r
        )
        # drift
        self.drift_now = Gauge(
            "kiosque_drift_now",
            "Shares and mean confidence of the newest answers; absent with too few of them.",
            ["model_version", "signal"],
            registry=r,
        )
        self.drift_reference = Gauge(
            "kiosque_drift_reference",
            "The same figures when the version was measured.",
            ["model_version", "signal"],
            registry=r,
        )
        self.drift_stability = Gauge(
            "kiosque_drift_stability",
            "Population stability index against the reference: above 0.25 it is another population.",
            ["model_version", "of"],
            registry=r,
        )
        self.drift_answers = Gauge(
            "kiosque_drift_answers", "Answers that the drift is told from.", ["model_version"], registry=r
        )
