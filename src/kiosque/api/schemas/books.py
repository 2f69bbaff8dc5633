"""Books, and the shelves that are recommended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from kiosque.api.schemas.base import (
    NUMBER,
    Answer,
    Ask,
    Day,
    Flag,
    Key,
    Listing,
    ListQuery,
    Moment,
    Prose,
    blank_unstorable,
    exactly_one,
)
from kiosque.core.book import Book, ListPlacement, Reasons, Recommendation, Shelf

MAX_TEXT = 20_000
MAX_READ = 200
_Year = Annotated[int, Field(ge=-3000, le=3000)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(blank_unstorable)]
_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class BookAnswer(Answer):
    """One work."""

    key: str = Field(examples=["isbn:9780684824901"])
    title: str
    author: str
    year: int | None = Field(description="Of first publication.")
    isbn13: str | None
    publisher: str | None
    subjects: list[str]
    language: str | None
    fiction: bool | None
    description: str

    @classmethod
    def of(cls, book: Book) -> BookAnswer:
        return cls(
            key=book.key,
            title=book.title,
            author=book.author,
            year=book.year,
            isbn13=book.isbn13,
            publisher=book.publisher,
            subjects=list(book.subjects),
            language=book.language,
            fiction=book.fiction,
            description=book.description,
        )


class BookListing(Listing[BookAnswer]):
    """One page of books."""


class PlacementAnswer(Answer):
    """One week on one best-seller list."""

    list_name: str
    week: str
    rank: int
    weeks_on_list: int | None

    @classmethod
    def of(cls, placement: ListPlacement) -> PlacementAnswer:
        return cls(
            list_name=placement.list_name,
            week=placement.week,
            rank=placement.rank,
            weeks_on_list=placement.weeks_on_list,
        )


class BookDetail(Answer):
    """A book with the best-seller lists that it stood on, newest week first."""

    book: BookAnswer
    placements: list[PlacementAnswer]


class RecommendedForAnswer(Answer):
    """An article for which a book is recommended."""

    article: str = Field(description="Id of the article.")
    headline: str
    published_at: datetime
    score: float


class RecommendedForListing(Listing[RecommendedForAnswer]):
    """One page of articles, best fit first."""


class ReasonsAnswer(Answer):
    """Why a book: what it shares with what was asked."""

    sentence: str = Field(examples=["shares: Lincoln, Seward, 1860"])
    terms: list[str]
    subjects: list[str]
    persons: list[str]

    @classmethod
    def of(cls, reasons: Reasons) -> ReasonsAnswer:
        return cls(
            sentence=reasons.sentence,
            terms=list(reasons.terms),
            subjects=list(reasons.subjects),
            persons=list(reasons.persons),
        )


class RecommendationAnswer(Answer):
    """One book on a shelf."""

    rank: int
    score: float = Field(description="Between 0 and 1.")
    book: BookAnswer
    reasons: ReasonsAnswer

    @classmethod
    def of(cls, recommendation: Recommendation) -> RecommendationAnswer:
        return cls(
            rank=recommendation.rank,
            score=recommendation.score,
            book=BookAnswer.of(recommendation.book),
            reasons=ReasonsAnswer.of(recommendation.reasons),
        )


class ShelfAnswer(Answer):
    """Books, best first; or none, and `note` says why."""

    model_version: str
    items: list[RecommendationAnswer]
    note: str = Field(examples=["", "No good match."])

    @classmethod
    def of(cls, shelf: Shelf) -> ShelfAnswer:
        return cls(
            model_version=shelf.model_version,
            items=[RecommendationAnswer.of(each) for each in shelf.recommendations],
            note=shelf.note,
        )


class BookListQuery(ListQuery):
    """Which books."""

    q: Annotated[Prose, StringConstraints(max_length=500)] = Field(
        default="", description="Words in title, author, subjects or description.", examples=["lincoln"]
    )
    language: _Language | None = Field(default=None, examples=["en"])
    fiction: bool | None = Field(default=None, examples=[False])
    year_from: _Year | None = Field(default=None, description="First year of publication.")
    year_to: _Year | None = Field(default=None, description="Last year of publication.")


class ReadArticle(Ask):
    """An article that the reader has read: one of ours by id or key, or any text."""

    model_config = ConfigDict(json_schema_extra=exactly_one("article", "text"))

    article: Key | None = Field(default=None, description="Id or key of an article.")
    text: _Text | None = None
    read_at: Moment | None = Field(default=None, description="Newer ones weigh more.")
    weight: Annotated[float, Field(gt=0, le=100), NUMBER] = 1.0

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.article is None) == (self.text is None):
            raise ValueError("give either article or text")
        return self


class BooksBody(Ask):
    """What to find books for: exactly one of `article`, `text`, `reader` and `book`."""

    model_config = ConfigDict(json_schema_extra=exactly_one("article", "text", "reader", "book"))

    article: Key | None = Field(default=None, description="Id or key of an article.")
    text: _Text | None = Field(default=None, description="Any text.")
    reader: Annotated[list[ReadArticle], Field(min_length=1, max_length=MAX_READ)] | None = Field(
        default=None, description="What a reader has read."
    )
    book: Key | None = Field(default=None, description="Key of a book: more like this one.")
    k: Annotated[int, Field(ge=1, le=50), NUMBER] = Field(default=5, description="Most books.")
    exclude: list[Key] = Field(
        default=[], max_length=1000, description="Keys of books not to recommend, e.g. those already read."
    )
    language: _Language | None = None
    fiction: Flag | None = None
    published_from: Annotated[int, Field(ge=-3000, le=3000), NUMBER] | None = None
    published_to: Annotated[int, Field(ge=-3000, le=3000), NUMBER] | None = None
    contemporary: Flag = Field(
        default=False,
        description="Only books that existed when `article` was published; without an article, today.",
    )
    contemporary_on: Day | None = Field(default=None, description="Only books that existed on that day.")
    min_score: Annotated[float, Field(ge=0, le=1), NUMBER] | None = Field(
        default=None, description="Instead of the model's own threshold."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(given is not None for given in (self.article, self.text, self.reader, self.book)) != 1:
            raise ValueError("give exactly one of article, text, reader and book")
        return self
