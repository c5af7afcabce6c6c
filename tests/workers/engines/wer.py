"""Word error rate."""

import jiwer

_WORDS = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({r"-": " "}),
        jiwer.RemovePunctuation(),  # type: ignore[no-untyped-call]
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


def wer(said: str, heard: str) -> float:
    """Compare words, in lower case and without punctuation; 0 is perfect."""
    return float(jiwer.wer(said, heard or "-", reference_transform=_WORDS, hypothesis_transform=_WORDS))
