from kiosque.books.chronicle import Note
from kiosque.books.reasons import explain, is_person, take_apart
from kiosque.testing.books import LINCOLN, PLAIN, TRUMAN

ELECTION = Note(
    "Election of 1860", 1860, 1860, ("Abraham Lincoln", "John Bell"), ("Civil War", "Chicago"), "The Wigwam."
)


def even(_: str) -> float:
    return 1.0


def test_a_person_is_told_from_an_event_by_its_words():
    assert is_person("Abraham Lincoln")
    assert is_person("Franklin D. Roosevelt")
    assert not is_person("Civil War")
    assert not is_person("presidential biography")
    assert not is_person("Reconstruction")


def test_a_person_is_shared_by_the_last_name_and_a_subject_by_all_its_words():
    reasons = explain(take_apart("Lincoln and the war"), LINCOLN, even)
    assert reasons.persons == ("Abraham Lincoln",)
    assert reasons.subjects == ()
    assert explain(take_apart("the civil war"), LINCOLN, even).subjects == ("Civil War",)


def test_the_rarest_terms_come_first_in_the_form_of_the_text():
    rare = {"missouri": 3.0, "train": 2.0}
    reasons = explain(take_apart("Trains through Missouri's farms"), TRUMAN, lambda t: rare.get(t, 1.0))
    assert reasons.terms == ("Missouri", "Trains", "farms")


def test_the_pieces_of_a_compound_are_not_named_beside_it():
    reasons = explain(take_apart("A whistle-stop journey"), TRUMAN, even)
    assert reasons.terms == ("whistle-stop",)


def test_a_name_is_not_said_twice():
    assert explain(take_apart("Truman, Harry"), TRUMAN, even).sentence == "shares: Harry S. Truman"


def test_what_only_a_note_knows_is_said_to_come_from_it():
    reasons = explain(take_apart("The lawyer from Springfield"), LINCOLN, even, [ELECTION])
    assert reasons.persons == ("Abraham Lincoln",)
    assert reasons.subjects == ("Civil War",)
    assert reasons.sentence == "by way of “Election of 1860”: Abraham Lincoln, Civil War"


def test_a_note_adds_nothing_that_the_text_says_itself():
    reasons = explain(take_apart("Lincoln in the Civil War"), LINCOLN, even, [ELECTION])
    assert reasons.sentence == "shares: Abraham Lincoln, Civil War"


def test_where_nothing_is_shared_the_sentence_says_so_much():
    assert explain(take_apart("Music"), PLAIN, even).sentence == "is close in subject"
