"""Encryption of what goes to Temporal: keys, codec, and the codec server that people read through."""
