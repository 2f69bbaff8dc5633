import pytest

from kiosque.books.catalogue import arrange, day_number, normal_language, read_rows, write_rows
from kiosque.core.book import Book
from kiosque.core.errors import InvalidInput
from kiosque.testing.books import BOOKS, TRUMAN


def test_books_are_kept_as_they_were(tmp_path):
    write_rows(arrange(BOOKS), tmp_path)
    assert set(read_rows(tmp_path).books) == set(BOOKS)


@pytest.mark.parametrize("code", ["en", "EN", "en-US", "en_GB", "eng", " en "])
def test_a_language_has_one_code(code):
    assert normal_language(code) == "en"


def test_a_day_is_compared_as_a_number():
    assert day_number("1864-11-08") == 18_641_108
    with pytest.raises(InvalidInput):
        day_number("8 November 1864")


def test_editions_of_a_work_share_title_and_author():
    other = Book("isbn:1", "TRUMAN", "David McCullough")
    catalogue = arrange((*BOOKS, other))
    assert [catalogue.books[n] for n in catalogue.editions(TRUMAN).nonzero()[0]] == [other, TRUMAN]


def test_a_year_can_come_from_the_day():
    catalogue = arrange(
        [Book("a", "A", "B", published_on="1931-05-04"), Book("b", "B", "C", published_on="1931")]
    )
    assert catalogue.years.tolist() == [1931, 1931]
    assert catalogue.latest_days.tolist() == [19_310_504, 19_311_231]
