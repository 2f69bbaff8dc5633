"""The chronicle: short notes on events, persons and themes, by which a text is placed.

News speaks of "the Kingfish" or "the lawyer from Springfield" and books of Huey Long and Abraham Lincoln. A note
holds both wordings, so that a text near a note can be led on to the books about that note's persons and subjects.
The notes are Kiosque's own (`chronicle.jsonl`): plain facts, mostly of the United States, 1787 to 2024.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosque.books.encoder import Encoder, Vector
from kiosque.books.lexical import LexicalIndex, build_index, load_index, save_index
from kiosque.books.recipe import Recipe
from kiosque.books.terms import index_terms, name_terms, surfaces

SOURCE = Path(__file__).with_name("chronicle.jsonl")
FOLDER = "chronicle"
_NOTES = "notes.jsonl"
_FIND = "find.npy"
_AIM = "aim.npy"
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_FAR_YEARS = 15
"""A text that names years, all of them further than this from a short event, is not about that event."""
_SHORT_YEARS = 30


@dataclass(frozen=True, slots=True)
class Note:
    """One event, person or theme, and the years it spans."""

    title: str
    start: int
    end: int
    persons: tuple[str, ...]
    subjects: tuple[str, ...]
    text: str

    @property
    def wording(self) -> str:
        """What the note is found by."""
        return f"{self.title}. {self.text} {'; '.join(self.persons)}. {'; '.join(self.subjects)}"

    @property
    def heading(self) -> str:
        """What the note leads to: names and subjects, as books have them."""
        return f"{self.title}. {'; '.join(self.persons)}. {'; '.join(self.subjects)}"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a text belongs, as far as the chronicle can tell."""

    strength: float
    """How well the best note fits; about 0.2 for a text of another world, 0.7 for a named event."""
    confidence: float
    """0: pay no attention to the notes; 1: trust them."""
    notes: tuple[Note, ...]
    direction: Vector
    """Where the notes point in the space of the encoder, [width], length 1."""
    persons: Mapping[str, float]
    """Stems of last names with the weight of their note."""
    subjects: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Chronicle:
    """The notes with their index and vectors, in one order."""

    notes: tuple[Note, ...]
    lexical: LexicalIndex
    find: NDArray[np.float32]
    """[notes, width]: vectors that texts are compared with."""
    aim: NDArray[np.float32]
    """[notes, width]: where each note points."""
    spans: NDArray[np.int32]
    """[notes, 2]: first and last year."""

    def place(self, text: str, vector: Vector, recipe: Recipe) -> Setting:
        """Find the notes nearest to `text`, whose vector is `vector`."""
        words = self.lexical.scores(dict.fromkeys(surfaces(text), 1.0))
        fit = (1.0 - recipe.note_lexical) * np.vecdot(self.find, vector)
        fit += recipe.note_lexical * words / max(float(words.max(initial=0.0)), 1e-9)
        fit += recipe.note_years * self._years(text)
        nearest = np.argsort(-fit, kind="stable")[: recipe.notes]
        shares = np.exp(recipe.note_sharpness * (fit[nearest] - fit[nearest[0]]))
        shares = (shares / shares.sum()).astype(np.float32)
        direction = shares @ self.aim[nearest]
        strength = float(fit[nearest[0]])
        notes = tuple(self.notes[row] for row in nearest)
        return Setting(
            strength,
            float(np.clip((strength - recipe.doubt) / (recipe.trust - recipe.doubt), 0.0, 1.0)),
            notes,
            np.asarray(direction / np.linalg.norm(direction), np.float32),
            _weigh([[name_terms(p)[-1:] for p in note.persons] for note in notes], shares),
            _weigh([[name_terms(s) for s in note.subjects] for note in notes], shares),
        )

    def _years(self, text: str) -> NDArray[np.float32]:
        """For each note, how its years agree with those that `text` names: towards 1 for a short event in one of
        them, -1 for a short event far from all, 0 where neither can be said.
        """
        named = np.array([int(year) for year in _YEAR.findall(text)])
        if not named.size:
            return np.zeros(len(self.notes), np.float32)
        start, end = self.spans[:, 0], self.spans[:, 1]
        inside = ((start <= named[:, None]) & (named[:, None] <= end)).any(axis=0)
        ends = np.minimum(abs(named[:, None] - start), abs(named[:, None] - end)).min(axis=0)
        far = (end - start < _SHORT_YEARS) & (ends > _FAR_YEARS)
        return np.where(inside, 1.0 / (1.0 + np.log1p(end - start)), np.where(far, -1.0, 0.0)).astype(
            np.float32
        )


def read_notes(path: Path) -> tuple[Note, ...]:
    """The notes in a JSONL file. Raises OSError, ValueError, KeyError or TypeError on a damaged file."""
    with path.open(encoding="utf-8") as lines:
        return tuple(_note(json.loads(line)) for line in lines)


def write_chronicle(source: Path, out: Path, encoder: Encoder) -> None:
    """Write the notes of the file `source` with index and vectors into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, out / _NOTES)
    notes = read_notes(source)
    save_index(build_index([index_terms(note.wording) for note in notes], k1=1.2, b=0.75), out)
    find = np.stack(list(encoder.encode_each(note.wording for note in notes)))
    aim = find + np.stack(list(encoder.encode_each(note.heading for note in notes)))
    np.save(out / _FIND, find.astype(np.float16), allow_pickle=False)
    np.save(
        out / _AIM, (aim / np.linalg.norm(aim, axis=1, keepdims=True)).astype(np.float16), allow_pickle=False
    )


def load_chronicle(folder: Path) -> Chronicle:
    """The inverse of `write_chronicle`. Raises OSError, ValueError, KeyError or TypeError on a damaged folder."""
    notes = read_notes(folder / _NOTES)
    find, aim = (np.load(folder / name, allow_pickle=False).astype(np.float32) for name in (_FIND, _AIM))
    index = load_index(folder)
    if not len(notes) == len(find) == len(aim) == index.size:
        raise ValueError("notes, index and vectors of the chronicle differ in number")
    return Chronicle(notes, index, find, aim, np.array([(n.start, n.end) for n in notes], np.int32))


def holds(folder: Path, source: Path) -> bool:
    """Whether the chronicle in `folder` was made from exactly the notes in `source`."""
    kept = folder / _NOTES
    return kept.exists() and kept.read_bytes() == source.read_bytes()


def _note(row: dict[str, object]) -> Note:
    persons, subjects = row["persons"], row["subjects"]
    if not isinstance(persons, list) or not isinstance(subjects, list):
        raise TypeError("persons and subjects of a note are lists")
    start, end = int(str(row["from"])), int(str(row["to"]))
    return Note(str(row["title"]), start, end, tuple(persons), tuple(subjects), str(row["text"]))


def _weigh(terms: Sequence[Sequence[Sequence[str]]], shares: NDArray[np.float32]) -> dict[str, float]:
    """Each term with the largest share of the notes that it stands in."""
    weights: dict[str, float] = {}
    for names, share in zip(terms, shares.tolist(), strict=True):
        for name in names:
            for term in name:
                weights[term] = max(weights.get(term, 0.0), share)
    return weights
