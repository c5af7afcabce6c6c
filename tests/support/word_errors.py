"""Word error rate."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jiwer import Compose


def wer(said: str, heard: str) -> float:
    """Compare words, in lower case and without punctuation; 0 is perfect."""
    import jiwer

    return float(jiwer.wer(said, heard or "-", reference_transform=_words(), hypothesis_transform=_words()))


@cache
def _words() -> "Compose":
    """Say what a word is; made when first needed, as that takes a second."""
    import jiwer

    return jiwer.Compose(
        [
            jiwer.ToLowerCase(),
            jiwer.SubstituteRegexes({r"-": " "}),
            jiwer.RemovePunctuation(),  # type: ignore[no-untyped-call]
            jiwer.RemoveMultipleSpaces(),
            jiwer.Strip(),
            jiwer.ReduceToListOfListOfWords(),
        ]
    )
