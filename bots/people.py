"""What people and groups are called, for owners, who know them by their names and not by a platform's ids."""

import re
from collections import OrderedDict
from collections.abc import Mapping

from bots.intake import InboundMessage

NAMES_KEPT = 2000
NAME_CHARS = 64


class Names:
    """Names of the people and groups that wrote of late, by the platform's ids."""

    def __init__(self) -> None:
        """Know of none."""
        self._names: OrderedDict[tuple[str, str], str] = OrderedDict()

    def learn(self, inbound: InboundMessage) -> None:
        """Keep the names that a message tells; the oldest are dropped."""
        told = (
            (inbound.user, inbound.sender),
            (inbound.about, inbound.about_name),
            (inbound.group, inbound.group_name),
            (next(iter(inbound.places), None), inbound.place_name),
        )
        for identifier, name in told:
            if identifier and (clean := cleaned(name or "")):
                self._names[inbound.platform, identifier] = clean
                self._names.move_to_end((inbound.platform, identifier))
        while len(self._names) > NAMES_KEPT:
            self._names.popitem(last=False)

    def of(self, platform: str) -> dict[str, str]:
        """Return the names on a platform, by id."""
        return {identifier: name for (on, identifier), name in self._names.items() if on == platform}


def cleaned(name: str) -> str:
    """Return a name as one short line, as people call themselves anything."""
    return re.sub(r"\s+", " ", "".join(letter if letter.isprintable() else " " for letter in name)).strip()[:NAME_CHARS]


def called(identifier: str, names: Mapping[str, str]) -> str:
    """Name somebody; with the id where two share the name, and by it alone where there is none."""
    name = names.get(identifier)
    if name is None:
        return identifier
    return f"{name} ({identifier})" if list(names.values()).count(name) > 1 else name
