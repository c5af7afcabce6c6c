"""The Discord bot: messages, commands and menus in."""
