"""Roman numerals, and the gender of one."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import re

from activities.text.verbalization.words import Rule, Words, any_of, words_of

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}
_ROMAN = r"(?=[IVX])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVX])"
_RULERS = (
    "Alexander|Alfons|Alfonso|Alphonse|Benedict|Benedicto|Benedikt|Benoît|Carl|Carlos|Catalina|Catherine|Charles"
    "|Christian|Clemens|Clement|Constantine|Edward|Eduard|Eduardo|Elisabeth|Elizabeth|Enrique|Ernst|Felipe|Ferdinand"
    "|Fernando|Francis|Francisco|Franz|François|Frederick|Friedrich|Georg|George|Gregor|Gregory|Guillaume|Guillermo"
    "|Gustav|Heinrich|Henri|Henry|Isabel|Isabella|Isabelle|Iván|Ivan|Iwan|James|Jean|Johann|Johannes|John|Jorge|Joseph"
    "|Juan|Juan Carlos|Karl|Katharina|Leo|Leopold|León|Louis|Ludwig|Luis|Léon|Manuel|Margrethe|Maria|Mary|Maximilian"
    "|Napoleon|Napoleón|Napoléon|Nicholas|Nicolas|Nicolás|Nikolaus|Otto|Paul|Paulus|Pablo|Pedro|Peter|Philip|Philipp"
    "|Philippe|Pie|Pierre|Pius|Pío|Rainier|Richard|Rudolf|Umberto|Urban|Victor|Viktor|Vittorio|Wilhelm|William"
)
_FEMALE = frozenset(
    [
        "Catalina",
        "Catherine",
        "Elisabeth",
        "Elizabeth",
        "Isabel",
        "Isabella",
        "Isabelle",
        "Katharina",
        "Margrethe",
        "Maria",
        "Mary",
    ]
)
_NO_NAMES = "(?:An?|And|Das|De[mnr]|Die|Du|El|En|I[mn]|Las?|Les?|Los|Mit|On|Our|The|This|Une?|Una?|Und|With|Y|Your)"
_NUMBERED = (
    "Act|Acto|Akt|Anexo|Anhang|Annex|Annexe|Apéndice|Article|Artículo|Artikel|Band|Book|Buch|Cap[ií]tulo|Category"
    "|Chapitre|Chapter|Class|Clase|Escena|Episode|Fase|Grade|Kapitel|Klasse|Level|Libro|Livre|Nivel|Part|Parte|Partie"
    "|Phase|Scene|Scène|Section|Stage|Stufe|Szene|Teil|Tipo|Title|Titre|Título|Tome|Tomo|Typ|Type|Volume|Volumen|War"
)
_FEMININE_DE = re.compile(
    r"\w+(?:ung|heit|keit|schaft|ion|tät|ik|ur|anz|enz|ei|e)|(?:\w*?(?:person|frau|nacht|zahl|hand|stadt|kugel|gabel"
    r"|zwiebel|regel|insel|tür|wand|mutter|tochter|schwester|wurst|prüfung|mail|app|uhr|bank|box|kuh|maus|nuss))",
    re.IGNORECASE,
)
_NOT_FEMININE_DE = re.compile(
    r"\w*(?:junge|kunde|kollege|löwe|hase|affe|name|gedanke|käse|auge|ende|interesse|gebäude|gebirge|gemüse|getränke"
    r"|erbe|buchstabe|ei|neffe|riese|zeuge|experte|abitur|brei|schrei|papagei|blei)",
    re.IGNORECASE,
)
_FEMININE_FR = re.compile(
    r"(?:\w+(?:[ts]ion|ette|ance|ence|esse|ille|euse|ière|rice|ée|ité|logie|ade|ude|ture|elle|aine|oire)"
    r"|image|chaise|personne|table|tasse|pomme|carte|feuille|boîte|lettre|note|porte|clé|pièce|photo|vidéo|fille|femme"
    r"|fois|page|heure|semaine|minute|seconde|année|tonne|livre|roupie|couronne|équipe|voiture|maison|ville|langue|rue"
    r"|place|tranche|gousse|cuillère|goutte|ligne|colonne|liste|étape|part|partie|plage|école|règle|phrase|chanson"
    r"|erreur|valeur|couleur|fleur|main|nuit|voix|île|base|classe|copie|tâche|mesure|marche)s?",
    re.IGNORECASE,
)
_MASCULINE_FR = re.compile(r"(?:musée|lycée|trophée|silence|squelette)s?", re.IGNORECASE)
_ONES = re.compile(r"(?<![\d.,:/])(?:\d[\d ]*)?(?<!1)1 ([^\W\d_]{2,})")
_GERMAN_ORDINALS = (
    *("", "Erste", "Zweite", "Dritte", "Vierte", "Fünfte", "Sechste", "Siebte", "Achte", "Neunte", "Zehnte", "Elfte"),
    *("Zwölfte", "Dreizehnte", "Vierzehnte", "Fünfzehnte", "Sechzehnte", "Siebzehnte", "Achtzehnte", "Neunzehnte"),
    *("Zwanzigste", "Einundzwanzigste", "Zweiundzwanzigste", "Dreiundzwanzigste"),
)
_SPANISH = ("", "primer", "segund", "tercer", "cuart", "quint", "sext", "séptim", "octav", "noven", "décim")


def value(numeral: str) -> int:
    """Return the value of a Roman numeral."""
    values = [_VALUES[letter] for letter in numeral]
    return sum(-this if this < following else this for this, following in zip(values, [*values[1:], 0], strict=True))


def rules(words: Words) -> tuple[Rule, ...]:
    """Return the rules for Roman numerals, and for a German one before a noun."""
    return _RULES[words.language]()


def _english() -> tuple[Rule, ...]:
    def ruler(match: re.Match[str]) -> str:
        return f"{match['name']} the {_ordinal(value(match['numeral']))}"

    return (
        Rule(rf"\b(?P<name>{_RULERS}) (?P<numeral>(?!I\b){_ROMAN}){_END}", ruler),  # "Then James I met" is not one
        Rule(rf"\b(?P<name>{_NUMBERED}) (?P<numeral>{_ROMAN}){_END}", _cardinal),
        Rule(rf"\b(?P<name>(?i:{_NUMBERED})) (?P<numeral>(?=[IVX]{{2}}){_ROMAN}){_END}", _cardinal),
        Rule(rf"\b(?P<numeral>{_ROMAN})(?:th)?(?= centur(?:y|ies))", lambda match: _ordinal(value(match["numeral"]))),
        _NAMED,
    )


def _german() -> tuple[Rule, ...]:
    numbered = any_of(words_of("de").before_numbers.values())

    def ruler(match: re.Match[str]) -> str:
        of, number = match["genitive"], value(match["numeral"])
        ordinal = _GERMAN_ORDINALS[number] if number < len(_GERMAN_ORDINALS) else f"{number}."
        article = "des" if of else "die" if match["name"] in _FEMALE else "der"
        return f"{match['name']}{of} {article} {ordinal}{'n' if of else ''}"

    return (
        Rule(rf"\b(?P<name>(?i:{_NUMBERED})) (?P<numeral>{_ROMAN}){_END}", _cardinal),
        Rule(rf"\b(?P<name>{_RULERS})(?P<genitive>s?) (?P<numeral>{_ROMAN})\.(?!\w)", ruler),
        Rule(rf"\b(?P<numeral>{_ROMAN})\. ?(?=Jahrhundert|Weltkrieg)", lambda match: f"{value(match['numeral'])}. "),
        _NAMED,
        Rule(rf"\b({numbered}) 1(?![\d.,])", r"\1 eins"),  # and not "Artikel ein Absatz"
        Rule(
            r"(?<![\w.,:/-])(?<![A-ZÄÖÜ]\w )1 (?=(?P<noun>[A-ZÄÖÜ][a-zäöüß]+))",
            lambda match: "eine " if _is_feminine_german(match["noun"]) else "ein ",
        ),
    )


def _spanish() -> tuple[Rule, ...]:
    def ruler(match: re.Match[str]) -> str:
        number = value(match["numeral"])
        if number >= len(_SPANISH):
            return _cardinal(match)
        return f"{match['name']} {_SPANISH[number]}{'a' if match['name'] in _FEMALE else 'o'}"

    return (
        Rule(
            rf"\b(?P<name>[Ss]iglos?|s\.) (?P<numeral>{_ROMAN})\b",
            lambda match: _cardinal(match).replace("s.", "siglo"),
        ),
        Rule(
            rf"\b(?P<numeral>{_ROMAN}) (?=Guerra|República|Internacional|Cumbre|Feria)",
            lambda match: f"{_SPANISH[value(match['numeral']) % 11]}a ",
        ),
        Rule(rf"\b(?P<name>{_RULERS}) (?P<numeral>{_ROMAN}){_END}", ruler),
        Rule(rf"\b(?P<name>(?i:{_NUMBERED})) (?P<numeral>{_ROMAN}){_END}", _cardinal),
        _NAMED,
    )


def _french() -> tuple[Rule, ...]:
    def ruler(match: re.Match[str]) -> str:
        first = "première" if match["name"] in _FEMALE else "premier"
        return f"{match['name']} {first}" if match["numeral"] == "I" else _cardinal(match)

    return (
        Rule(
            rf"\b(?P<numeral>{_ROMAN})(?P<ending>ers?|res?|i?[eè]mes?|es?|ᵉ)(?!\w)",
            lambda match: f"{value(match['numeral'])}{match['ending'].replace('ᵉ', 'e')}",
        ),
        Rule(rf"\b(?P<name>{_RULERS}) (?P<numeral>{_ROMAN}){_END}", ruler),
        Rule(rf"\b(?P<name>(?i:{_NUMBERED})) (?P<numeral>{_ROMAN}){_END}", _cardinal),
        _NAMED,
    )


def _is_feminine_german(noun: str) -> bool:
    return bool(_FEMININE_DE.fullmatch(noun)) and not _NOT_FEMININE_DE.fullmatch(noun)


def _cardinal(match: re.Match[str]) -> str:
    return f"{match['name']} {value(match['numeral'])}"


_END = r"(?![\w-]|['’](?!s\b)|\.\w)"
_NAMED = Rule(rf"\b(?!{_NO_NAMES}\b)(?P<name>[A-ZÀ-Þ][\w-]*\w) (?P<numeral>(?=[IVX]{{2}}){_ROMAN}){_END}", _cardinal)
_RULES = {"en": _english, "de": _german, "es": _spanish, "fr": _french}


def with_feminine_ones(written: str, said: str) -> str:
    """Say "une" in French where a number that ends in one was written before a feminine noun."""
    for noun in {match[1] for match in _ONES.finditer(written)}:
        if _FEMININE_FR.fullmatch(noun) and not _MASCULINE_FR.fullmatch(noun):
            said = re.sub(rf"\bun(?= {noun}\b)", "une", said)
    return said


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
