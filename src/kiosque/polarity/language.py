"""Whether a text is English: fast, without a model, made for headlines.

Two kinds of evidence count. Letters of another script decide at once. Otherwise short function words are counted, of
English and of fourteen other languages in Latin script; words that English shares with one of them (die, in, me) are
on no list. A headline without any evidence ("Obama, Merkel, Sarkozy") passes as English, because that is what most
sources deliver and a wrong refusal loses a mention.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ENGLISH = (
    "the and of to for with on by at from as is are was were be been has have had his her he she it its "
    "they their them we our you your who what when why how which that this these those not no but or if "
    "than then says said will would could should can may might after before over under into about "
    "against between amid new more most up out off down all some any other first last year day week an i "
    "my do does did won takes gets makes here there now vs where while during without through still just "
    "even like also back because being only time man president house state people"
)
_FOREIGN = {
    "de": (
        "das und ist nicht für auf dem ein eine einen einem einer sich zu im wird werden auch nach bei wie "
        "über aus zum zur sind gegen mehr noch kein keine sein oder aber vor haben wurde wegen beim vom "
        "durch ihre seine wenn unter zwischen ich sie wir nur schon jetzt soll kann warum neue neuer neues"
    ),
    "fr": (
        "et est une dans qui avec par cette ces ses leur leurs elle nous vous sont été être où comme après "
        "avant contre entre selon deux tous très aussi dès ils elles quand l'affaire"
    ),
    "es": (
        "por uno sus como más pero sin sobre entre fue está están han este esta estos muy también desde "
        "hasta cuando donde según ante contra tras qué cómo quién año años"
    ),
    "pt": (
        "das nas uma por seu sua ao são não mas como foi está pela pelo entre sobre após até diz ser tem "
        "também já pode sem contra ela você isso"
    ),
    "it": (
        "gli della dei delle degli nel nella che sono più dalla tra dopo anche hanno essere questo questa "
        "suo sua ecco contro perché"
    ),
    "nl": (
        "het een dat niet voor zijn aan ook als bij naar uit maar wordt worden nog geen meer heeft hebben "
        "wel deze dit hij zij wij tegen moet nieuwe"
    ),
    "sv": (
        "och att det som är av för på med inte har ett jag sig från när efter upp vid ska också eller här "
        "blir"
    ),
    "da": ("og det til af på med som ikke et har fra han sig efter ved skal også eller mod bliver"),
    "no": ("og det til som på med av ikke har fra et han seg etter ved skal også eller nå blir"),
    "pl": (
        "nie się jest że jak po za dla przez ale czy jego jej są był była będzie przed ich tylko już oraz "
        "może"
    ),
    "cs": ("že jako po za ale jeho jsou byl byla bude před jen už nebo podle není"),
    "tr": ("ve bir bu için ile çok olan olarak daha gibi değil sonra kadar ama ise oldu dedi yeni"),
    "ro": ("și în cu pe că este sunt pentru fost dar prin după sau lui către"),
    "id": (
        "yang ke dari untuk pada dengan ini itu tidak akan dalam adalah juga oleh karena telah sudah bisa "
        "atau lebih saat"
    ),
}
"""Function words by language. Left out: words that are English, too ("die", "in", "me"), and those that stand in
English names, titles and headlines too often to be evidence ("de", "san", "pro", "met")."""

_ENOUGH_WORDS = 4
"""Words from which on a text without any English function word is refused on one foreign word."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@lru_cache(maxsize=1)
def _lists() -> tuple[frozenset[str], tuple[frozenset[str], ...], frozenset[str]]:
    """English function words, those of each other language, and those of all others."""
    others = tuple(frozenset(words.split()) for words in _FOREIGN.values())
    return frozenset(_ENGLISH.split()), others, frozenset().union(*others)


def is_english(text: str, declared: str | None = None) -> bool:
    """Whether `text` may be scored as English.

    `declared` is what the source says ("en", "en-US", "fr"…). It decides between English and its absence only when
    the text itself gives no evidence: feeds often declare the wrong language.
    """
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text[:2000])]
    if not words:
        return True
    if _foreign_script_share(words) > 0.4:
        return False
    function_words, others, foreign_words = _lists()
    english = sum(word in function_words for word in words)
    suspects = [word for word in words if word in foreign_words or "'" in word]
    foreign = max(_evidence(suspects, listed) for listed in others) if suspects else 0
    if declared and not declared.lower().startswith("en") and english == 0 and foreign <= 1:
        return False
    if english == 0 and len(words) >= _ENOUGH_WORDS:
        return foreign < 1
    return foreign < 2 or foreign <= english


def _evidence(words: list[str], listed: frozenset[str]) -> float:
    """Function words of one language; one that stands twice counts once and a half, as a name may repeat."""
    hits = [w for w in words if len(w) > 1 and (w in listed or ("'" in w and w.split("'")[0] in _ELIDED))]
    return len(set(hits)) + 0.5 * (len(hits) - len(set(hits)))


_ELIDED = frozenset({"l", "qu", "n", "j", "dell", "nell", "sull"})


def _foreign_script_share(words: list[str]) -> float:
    letters = "".join(words)
    if letters.isascii():
        return 0.0
    foreign = sum(1 for c in letters if c > "\u024f" and not unicodedata.name(c, "").startswith("LATIN"))
    return foreign / len(letters)
