"""`kiosque export`: articles, mentions, corrections and verdicts as files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Format, JsonLines, choose_format, emit_rows
from kiosque.store.tx import Tx

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Write articles, mentions, corrections or verdicts on books to a file.",
)

CHUNK = 1000


@app.command("articles")
def export_articles(
    ctx: typer.Context,
    entity: Annotated[
        list[str] | None, typer.Option(help="Only articles that name this entity; may be repeated.")
    ] = None,
    as_jsonl: JsonLines = False,
    as_csv: Csv = False,
) -> None:
    """Write every article with its list of (entity, polarity) pairs. JSON lines without --csv."""
    _emit(ctx, lambda tx: _article_rows(tx, tuple(entity or ())), as_jsonl=as_jsonl, as_csv=as_csv)


@app.command("mentions")
def export_mentions(ctx: typer.Context, as_jsonl: JsonLines = False, as_csv: Csv = False) -> None:
    """Write a row for every (article, entity) with polarity and probabilities. JSON lines without --csv."""
    _emit(ctx, _mention_rows, as_jsonl=as_jsonl, as_csv=as_csv)


@app.command("corrections")
def export_corrections(ctx: typer.Context, as_jsonl: JsonLines = False, as_csv: Csv = False) -> None:
    """Write people's corrections as training data: {text, mentions: [{target, polarity}]}."""
    _emit(ctx, _correction_rows, as_jsonl=as_jsonl, as_csv=as_csv)


@app.command("verdicts")
def export_verdicts(ctx: typer.Context, as_jsonl: JsonLines = False, as_csv: Csv = False) -> None:
    """Write what readers said of books as training data: {text, book, title, about, verdict}."""
    _emit(ctx, _verdict_rows, as_jsonl=as_jsonl, as_csv=as_csv)


def _emit(ctx: typer.Context, rows: Any, *, as_jsonl: bool, as_csv: bool) -> None:
    form = choose_format(as_jsonl=as_jsonl, as_csv=as_csv)
    with house_of(ctx) as house, house.migrated.read() as tx:
        emit_rows(rows(tx), Format.JSONL if form is Format.TABLE else form)


def _chunks(tx: Tx, entities: tuple[str, ...] = ()) -> Iterator[tuple[list[Any], Any]]:
    from kiosque.store import articles, mentions

    stream = articles.iterate(tx, articles.ArticleFilter(entities=entities), chunk=CHUNK)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk, mentions.of_articles(tx, [stored.pk for stored in chunk])


def _article_rows(tx: Tx, entities: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for chunk, named in _chunks(tx, entities):
        for stored in chunk:
            pairs = [{"entity": m.entity_id, "polarity": m.mention.polarity} for m in named[stored.pk]]
            article = stored.article
            yield {
                "id": stored.id,
                "key": article.key,
                "published_at": article.published_at,
                "source": article.source,
                "section": article.section,
                "headline": article.headline,
                "abstract": article.abstract,
                "url": article.url,
                "mentions": pairs,
            }


def _mention_rows(tx: Tx) -> Iterator[dict[str, Any]]:
    for chunk, named in _chunks(tx):
        for stored in chunk:
            for m in named[stored.pk]:
                p = m.mention.probabilities
                yield {
                    "article": stored.id,
                    "published_at": stored.article.published_at,
                    "entity": m.entity_id,
                    "name": m.entity_name,
                    "outcome": m.mention.outcome,
                    "polarity": m.mention.polarity,
                    "negative": p.negative if p else None,
                    "neutral": p.neutral if p else None,
                    "positive": p.positive if p else None,
                    "model_version": m.mention.model_version,
                }


def _correction_rows(tx: Tx) -> Iterator[dict[str, Any]]:
    from kiosque.store import articles, feedback, mentions

    for correction in feedback.corrections(tx):
        stored = articles.find(tx, correction.article_id)
        if stored is None or correction.polarity is None:
            continue
        for m in mentions.of_articles(tx, [stored.pk])[stored.pk]:
            if m.entity_id == correction.entity_id and m.mention.spans:
                span = m.mention.spans[0].span
                text = stored.article.text_of(span.part)
                yield {
                    "text": text,
                    "mentions": [{"target": text[span.start : span.end], "polarity": correction.polarity}],
                }


def _verdict_rows(tx: Tx) -> Iterator[dict[str, Any]]:
    """One row a verdict. `text` is that of the article; of pasted texts only the digest is known."""
    from kiosque.books.asked import describe
    from kiosque.pipeline.scoring import text_for_books
    from kiosque.store import articles, books, feedback

    for thumb in feedback.thumbs(tx):
        stored = articles.find(tx, thumb.article_id) if thumb.article_id else None
        book = books.get(tx, thumb.book_key)
        yield {
            "text": text_for_books(stored.article) if stored else None,
            "article": thumb.article_id,
            "text_digest": thumb.text_digest,
            "book": book.key,
            "title": book.title,
            "author": book.author,
            "about": describe(book),
            "verdict": thumb.verdict,
            "by": thumb.by,
            "at": thumb.at,
        }
