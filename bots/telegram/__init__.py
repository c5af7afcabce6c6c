"""The Telegram bot: updates in, by polling or webhook."""
