"""Word error rate."""

from activities.speech.word_errors import compare


def wer(said: str, heard: str) -> float:
    """Compare words, in lower case and without punctuation; 0 is perfect."""
    return compare(said, heard).word_rate
