"""What becomes of a message that the inbox could not take, the same on every platform (docs/adr/0017).

==============================================  ==========  ===========================================================
status of Temporal's answer                     outcome     why
==============================================  ==========  ===========================================================
INVALID_ARGUMENT                                dropped     the server read the request and refuses it: a payload over
                                                            2 MB ("Blob data size exceeds limit"), an id too long
RESOURCE_EXHAUSTED, "... larger than max ..."   dropped     over the 4 MB that the server reads of one gRPC message
OUT_OF_RANGE                                    dropped     over what the client's gRPC library itself handles
RESOURCE_EXHAUSTED, any other                   tried again rate limits pass
PERMISSION_DENIED, UNAUTHENTICATED, NOT_FOUND,  tried again about the connection or the namespace (a certificate, a
UNIMPLEMENTED, FAILED_PRECONDITION              as an error namespace not yet there): no message can be taken until an
                                                            operator acts, and then all can
UNAVAILABLE, DEADLINE_EXCEEDED, all others      tried again the server is away, busy, or restarting
==============================================  ==========  ===========================================================

An answer of Temporal's that is encrypted with a key that this process lacks is tried again as an error, too.
What else is raised and is no answer of Temporal's is a fault of june's own: tried ``TRIES`` times, then dropped.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.error_codes import ErrorCode

_log = logging.getLogger(__name__)

TRIES = 3
FAULTS_REMEMBERED = 1000
"""Messages whose failed tries are counted; Telegram's webhook may give one up without a word."""
DROPPED = "message-dropped"
"""Stable code in the log: operators alert on it."""
FINAL = frozenset({RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE})
MESSAGE_TOO_LARGE = "larger than max"
"""Of gRPC's "received message larger than max (5000000 vs. 4194304)", with and without "after decompression"."""
OPERATORS = frozenset(
    {
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.UNIMPLEMENTED,
        RPCStatusCode.FAILED_PRECONDITION,
    }
)
"""No message can be taken until an operator has acted."""

T = TypeVar("T")


class TryAgainError(Exception):
    """A message was not taken, for a reason that may pass: it must be tried again before those behind it."""


class DroppedError(Exception):
    """A message was dropped for good, and that is in the log; its sender should be told."""


def is_final(error: RPCError) -> bool:
    """Check whether the server will never take this very message."""
    too_large = error.status is RPCStatusCode.RESOURCE_EXHAUSTED and MESSAGE_TOO_LARGE in error.message
    return too_large or error.status in FINAL


class Delivery:
    """Hands the messages of one platform over, one try at a time, and counts the faults of each."""

    def __init__(self) -> None:
        self._faults: OrderedDict[int | str, int] = OrderedDict()

    async def attempt(self, number: int | str, receive: Callable[[], Awaitable[T]]) -> T:
        """Try once to hand a message over.

        Args:
            number: the platform's id of the message or update; the same at each try.
            receive: hands it to the inbox; what it returns is returned.

        Raises:
            TryAgainError: it was not taken; the next try may succeed.
            DroppedError: it never will be taken, and must not hold up those behind it.

        """
        fault: Exception
        try:
            received = await receive()
        except RPCError as error:
            if not is_final(error):
                level = logging.ERROR if error.status in OPERATORS else logging.WARNING
                _log.log(level, "message %s waits for Temporal: %s: %s", number, error.status.name, error.message)
                raise TryAgainError from error
            fault = error
        except Exception as error:
            if isinstance(error, ApplicationError) and error.type == ErrorCode.KEY_UNKNOWN:
                _log.error("%s: message %s waits: %s", ErrorCode.KEY_UNKNOWN.value, number, error.message)
                raise TryAgainError from error
            tries = self._faults.pop(number, 0) + 1
            if tries < TRIES:
                _log.warning("message %s could not be taken, try %d of %d", number, tries, TRIES, exc_info=error)
                self._faults[number] = tries
                while len(self._faults) > FAULTS_REMEMBERED:
                    self._faults.popitem(last=False)
                raise TryAgainError from error
            fault = error
        else:
            self._faults.pop(number, None)
            return received
        self._faults.pop(number, None)
        _log.error("%s: message %s can never be taken: %s", DROPPED, number, fault, exc_info=fault)
        raise DroppedError from fault
