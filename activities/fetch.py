"""Fetch a message's audio from its platform, verify it by content, and store it as 16 kHz mono PCM."""

from activities.references import AudioSource, BlobRef, Identifier, Value


class FetchRequest(Value):
    """Which audio to fetch."""

    platform: Identifier
    chat: Identifier
    source: AudioSource


class FetchedAudio(Value):
    """Verified, decoded, stored."""

    audio: BlobRef
    """s16le PCM, mono, 16,000 Hz."""
