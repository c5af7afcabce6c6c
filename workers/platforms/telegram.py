"""The documented name of 0.1.0; now ``workers.embedding.telegram_application``. Kept for one release."""

from workers.embedding.telegram_application import build_application

__all__ = ["build_application"]
