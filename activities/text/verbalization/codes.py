"""What people read out sign by sign: addresses, files, versions, telephone numbers, handles."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import re

from activities.text.verbalization.words import Rule, Words

_EXTENSIONS = (
    "bak|bash|bat|bin|bz2|c|cc|cfg|cmd|conf|cpp|cs|css|csv|dart|db|deb|dll|dmg|doc|docx|env|epub|exe|flac|gif|go|gz|h"
    "|hpp|html?|ico|ics|ini|ipynb|iso|jar|java|jpe?g|js|json|jsx|key|kt|lock|log|lua|m4a|md|mjs|mkv|mov|mp3|mp4|ods"
    "|odt|ogg|opus|out|pdf|pem|php|pl|png|ppt|pptx|ps1|py|pyi|r|rar|rb|rs|rst|rtf|scala|scss|sh|so|sql|svelte|svg"
    "|swift|tar|tex|tgz|tiff?|tmp|toml|ts|tsv|tsx|txt|vue|war|wasm|wav|webm|webp|whl|xls|xlsx|xml|ya?ml|zip|zsh"
)
_SAID_AS_WORDS = re.compile(
    "bash|bin|conf|dart|doc|env|go|jar|java|json|key|lock|log|opus|out|scala|svelte|swift|tar|toml|vue|ya?ml|zip"
)
_DOMAINS = (
    "com|org|net|edu|gov|int|info|biz|io|ai|dev|app|de|at|ch|es|fr|uk|eu|us|ca|it|nl|be|pt|pl|se|no|dk|jp|cn|mx|ar|br"
    "|au|nz|in|tv|me|example|test|local|cloud|xyz|tech|online|site|blog|shop"
)
_TELEPHONE = (
    "call|dial|ring|phone|telephone|fax|tel|ruf|rufe|rufen|anrufen|wähle|wählen|telefon|telefonnummer|notruf"
    "|llama|llame|llamar|marca|marque|teléfono|móvil|appelle|appelez|appeler|composez|téléphone|portable"
)
_EMERGENCY = "911|112|999|110|115|116|117|118|119|000"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_ELEMENT = r"(?:(?:Al|C|Ca|Cl|Cu|F|Fe|H|He|K|Mg|N|Na|O|P|S|Si|Zn)\d{0,3})"
_IS_FORMULA = re.compile(r"(?<![=!<>])=(?!=)|[±√^²³×÷≤≥]")
_START = r"(?<![^\s(\"'„“«\[])"
_PAIRS = re.compile(r"\+?\d{1,3}(?:[ .-]\d{1,2}){4,5}")


def rules(words: Words) -> tuple[Rule, ...]:
    """Return the rules for codes."""
    say = words.words
    dot, slash = f" {say['dot']} ", f" {say['slash']} "

    def address(match: re.Match[str]) -> str:
        name = f"{match['name']} {say['at']} " if match["name"] else ""
        written = name + match["host"] + (match["path"] or "").rstrip("/")
        return re.sub(r"[ _-]+", " ", written.replace("+", f" {say['plus']} ").replace(".", dot).replace("/", slash))

    def file(match: re.Match[str]) -> str:
        *names, ending = match[0].split(".")
        spelled = ending if _SAID_AS_WORDS.fullmatch(ending) else " ".join(ending)
        return dot.join([*(re.sub("[_-]+", " ", name).replace("/", slash) for name in names), spelled])

    def path(match: re.Match[str]) -> str:
        written = match[0].replace("~", f"{say['tilde']} ").replace("/", slash).replace(".", dot)
        return " ".join(re.sub("[_-]+", " ", written).split())

    def one(part: str) -> str:
        return "uno" if part == "1" and words.language == "es" else part  # and not "un punto"

    def host(match: re.Match[str]) -> str:
        rest = re.sub(r"\d+", lambda number: " ".join(number[0]), match["rest"] or "")
        return dot.join(map(one, map(" ".join, match["host"].split(".")))) + rest.replace("/", slash).replace(":", ", ")

    def version(match: re.Match[str]) -> str:
        number = match["number"]
        if not match["v"]:
            is_date = re.fullmatch(r"\d{1,2}\.\d{1,2}\.(?:\d\d){1,2}", number)
            is_thousands = re.fullmatch(r"\d{1,3}(?:\.\d{3})+", number)
            if is_date or is_thousands or _PAIRS.fullmatch(number):
                return match[0]
        return (f"{say['version']} " if match["v"] else "") + dot.join(map(one, number.split(".")))

    def telephone(match: re.Match[str]) -> str:
        word, number = match.groupdict().get("word", ""), match["number"]
        if words.language == "fr" and (_PAIRS.fullmatch(number) or len(number) == 3):
            return match[0]  # said by pairs
        groups = [" ".join(group) for group in re.findall(r"\d+", number)]
        return word + (f"{say['plus']} " if number.startswith("+") else "") + ", ".join(groups)

    def option(match: re.Match[str]) -> str:
        return f"{say['minus' if _IS_FORMULA.search(match.string) else 'dash']} "

    numbered = Rule(
        r"(?<![\w.,:/+-])(?P<v>v\.?|V(?=\d+\.))?(?P<number>\d+(?:\.\d+){2,}|(?(v)\d+(?:\.\d+)?|(?!)))(?!\w|[.,]\d)",
        version,
    )
    found = [
        Rule(
            r"(?:\b(?:https?|ftp)://)?(?<![\w@.-])(?:(?P<name>[\w.+-]{1,64})@)?"
            rf"(?P<host>(?:[\w-]{{1,63}}\.){{1,5}}(?:{_DOMAINS}))(?P<path>(?:/[\w.-]*\w)+/?)?(?![\w-]|\.\w)",
            address,
        ),
        Rule(
            rf"(?<![\w.@/-])[\w-]{{2,80}}(?:[./][\w-]{{1,80}}){{0,6}}\.(?:{_EXTENSIONS})(?![\w-]|\.\w)",
            file,
        ),
        Rule(rf"{_START}(?:~|\.{{1,2}})?(?:/[A-Za-z_.][\w.-]*(?<=\w))+/?(?!\w)", path),
        Rule(rf"(?<![\w.])(?P<host>{_OCTET}(?:\.{_OCTET}){{3}})(?P<rest>[/:]\d+)?(?!\w|\.\d)", host),
        numbered,
        # Telephone numbers, by what marks them: a plus, an area code, America's groups, a zero first, a word before.
        Rule(r"(?<!\w)(?P<number>\+\d{1,3}(?:[ ./-]?\(?\d{1,8}\)?){2,6})(?!\w)", telephone),
        Rule(
            r"(?<![\w.,-])(?P<number>(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4})(?![\w-])",
            telephone,
        ),
        Rule(
            r"(?<![\w.,-])(?P<number>\d{3}-\d{4}|(?:\d{4}[ -]){3}\d{4}|97[89]-(?:\d+-){3}\d)(?![\w-])",
            telephone,
        ),
        Rule(
            r"(?<![\w.,:/-])(?<!\d )(?P<number>(?!\d\d?/\d\d?/)(?:0\d{1,4}|0 \d{3})[ /-]\d{2,}(?:[ -]\d{2,})*)"
            r"(?!\w|[.:/]\d)",
            telephone,
        ),
        Rule(
            r"(?i)"
            rf"(?P<word>\b(?:{_TELEPHONE})\b[^\d,;!?]{{0,24}})"
            rf"(?P<number>\(?\d{{2,5}}\)?(?:[ /-]\d{{2,}}){{2,5}}|\d{{7,15}}|{_EMERGENCY})(?!\w|[.,:]\d)",
            telephone,
        ),
        Rule(r"(?<=\blocalhost):(?=\d)", " "),
        Rule(
            r"(?<=, )(\d{5})(?= [A-ZÄÖÜ][a-zäöü])",
            lambda match: " ".join(match[0]) if words.language == "de" else match[0],
        ),
        Rule(r"(?<!\w)@(?=[^\W\d]\w)", f"{say['at']} "),
        Rule(r"(?<![\w&])#(?=[^\W\d_]{2})", f"{say['hashtag']} "),
        Rule(r"(?<!\w)# ?(?=\d)", f"{say['number']} "),
        Rule(r"(?<![\w-])([A-Z]{2,8})-(?=\d{1,3}(?![\w.,-]*\w))", r"\1 "),
        Rule(
            rf"(?<![\w-])(?=\w*\d){_ELEMENT}{{2,8}}(?![\w-])",
            lambda match: " ".join(re.findall(r"[A-Z][a-z]?|\d+", match[0])),
        ),
        Rule(r"\b([CFJ])#(?!\w)", rf"\1 {say['sharp']}"),
        Rule(r"\b(C|g)\+\+(?!\w)", rf"\1 {say['plus']} {say['plus']}"),
        Rule(rf"{_START}\.(?=[A-Za-z]{{2}})", f"{say['dot']} "),
        Rule(rf"{_START}--(?=[a-z])", f"{say['dash']} {say['dash']} "),
        Rule(rf"{_START}-(?=[A-Za-z]{{1,3}}(?!\w))", option),
        # A function's brackets are not said, and the words of its name are told apart.
        Rule(r"\b(\w{1,80})\(\)", lambda match: re.sub(r"_+|(?<=[a-z])(?=[A-Z])", " ", match[1])),
        Rule(r"(?<=[^\W_])_+(?=[^\W_])", " "),
    ]
    if words.language == "de":  # a postal code
        found.append(Rule(r"(?<=, )\d{5}(?= [A-ZÄÖÜ][a-zäöü])", lambda match: " ".join(match[0])))
    return tuple(found)
