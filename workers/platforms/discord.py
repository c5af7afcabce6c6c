"""The name of 0.1.0; now ``workers.embedding.discord_client``. Kept for one release."""

from workers.embedding.discord_client import create_discord_client

__all__ = ["create_discord_client"]
