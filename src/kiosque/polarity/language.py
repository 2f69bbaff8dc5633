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

_ENGLISH = frozenset(
    "the and of to for with on by at from as is are was were be been has have had his her he she it its they their "
    "them we our you your who what when why how which that this these those not no but or if than then says said will "
    "would could should can may might after before over under into about against between amid new more most up out "
    "off down all some any other first last year day week an i my do does did won takes gets makes here there now "
    "vs where while during without through still just even like also back because being only time man president "
    "house state people may's".split()
)

_FOREIGN: dict[str, str] = {
    "de": "der das und ist nicht mit für auf dem den des ein eine einen einem einer sich von zu im wird werden auch "
    "nach bei wie über aus zum zur sind gegen mehr noch kein keine sein oder aber vor hat haben wurde wegen beim vom "
    "durch ihre seine wenn unter zwischen ich sie wir nur schon jetzt will soll kann warum neue neuer neues",
    "fr": "le les des du et est une dans pour qui que sur avec au aux par pas ce cette ces son sa ses leur leurs ne se "
    "il elle nous vous sont été être plus mais ou où comme après avant sans sous contre entre selon fait deux tout "
    "tous très aussi à dès chez ils elles quand l'affaire face",
    "es": "el los las del y en que por con para una uno se su sus al es como más pero sin sobre entre fue son está "
    "están hay ha han este esta estos ya muy también desde hasta cuando donde según ante contra tras lo le les nos "
    "qué cómo quién año años",
    "pt": "o os as do da dos das e em no na nos nas um uma que por com para se seu sua ao à é são não mais mas como "
    "foi está pela pelo entre sobre após até diz ser tem também já pode sem contra ele ela você isso",
    "it": "il lo gli della del dei delle degli nel nella che di e è per con una un non si da al alla ai sono più come "
    "ma su dal dalla tra dopo anche ha hanno essere questo questa suo sua ecco contro perché",
    "nl": "de het een en van op te dat die niet met voor zijn er aan om ook als bij naar uit maar wordt worden nog "
    "geen meer over door heeft hebben wel tot deze dit hij zij wij ik je tegen moet kan nieuwe",
    "sv": "och att det som en är av för på med den till inte har de ett om var jag men sig vi från kan när efter upp "
    "vid ska också eller nu mot här blir",
    "da": "og i at det er en den til af på med for de som ikke der et har fra om var han hun men sig vi kan efter ved "
    "skal også eller nu mod bliver",
    "no": "og i det er en til som på de med for av ikke at den har fra om et var han hun men seg vi kan etter ved skal "
    "også eller nå mot blir",
    "pl": "w i na z do nie się to jest że o jak po od za dla przez ale czy jego jej są był była będzie co przed ich "
    "tylko już oraz może",
    "cs": "v na se je že s z do o k pro jako po od za by ale jeho jsou byl byla bude co před jen už nebo podle není",
    "tr": "ve bir bu da de için ile çok olan olarak daha en gibi var ne değil sonra kadar ama ya mi ise oldu dedi yeni",
    "ro": "și în de la cu pe nu o un că mai este sunt din care pentru se a fost ce dar prin după sau lui către",
    "id": "yang dan di ke dari untuk pada dengan ini itu tidak akan dalam adalah juga oleh karena telah sudah bisa "
    "atau lebih saat para",
}
# Words that are English as well, or stand in English names and titles too often to be evidence.
_SHARED = frozenset(
    "a i o y e die in an on at to me no so or is are was were war has had him her do die den hat will kind gut rat art "
    "am as be de la le el les los las san santa des du von van al il da dos del der te se en ten es per con un una non "
    "over door over die er van men for var by but some over hun mi ne da van od do me mes son fait plus face sous mais "
    "one two pour sur sa ha si su my he we us ni os as na no em um que ele she us mot kan vi nu om et ai di ya lo main "
    "dan para care which ce ou au ii iii ben pas chez et aux se ma dal ad ed fin vers man mit fast under also and "
    "din up will more his of from with not what he's new now still tot nos sun bin bis tag hier dem ist she's var "
    "ik je dat uit wel".split()
) - frozenset("ist uit dat wel et dem".split())

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@lru_cache(maxsize=1)
def _foreign_words() -> dict[str, frozenset[str]]:
    return {code: frozenset(words.split()) - _SHARED - _ENGLISH for code, words in _FOREIGN.items()}


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
    english = sum(word in _ENGLISH for word in words)
    foreign = max(_evidence(words, listed) for listed in _foreign_words().values())
    if declared and not declared.lower().startswith("en") and english == 0 and foreign <= 1:
        return False
    return foreign < 2 or foreign <= english


def _evidence(words: list[str], listed: frozenset[str]) -> float:
    """Function words of one language; one that stands twice counts once and a half, as a name may repeat."""
    hits = [word for word in words if word in listed or word.split("'")[0] in _ELIDED and "'" in word]
    return len(set(hits)) + 0.5 * (len(hits) - len(set(hits)))


_ELIDED = frozenset({"l", "d", "qu", "n", "j", "c", "s", "dell", "nell", "all", "sull", "un"}) - {"d", "s"}


def _foreign_script_share(words: list[str]) -> float:
    letters = "".join(words)
    foreign = sum(1 for c in letters if c > "\u024f" and not unicodedata.name(c, "").startswith("LATIN"))
    return foreign / len(letters)
