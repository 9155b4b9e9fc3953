"""Listens to one queue for one function: takes messages, keeps them hidden while it runs, and settles them.

azure-sdk-for-net, QueueListener.cs and QueueProcessor.cs (Microsoft.Azure.WebJobs.Extensions.Storage.Queues).
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from devkit.local_host.datums import Datum, moment, raw, text, whole
from devkit.local_host.functions import Function, QueueTrigger
from devkit.local_host.host_json import QueueSettings
from devkit.local_host.invoker import Invoker
from devkit.local_host.queue import Message, Queues

logger = logging.getLogger(__name__)

_HIDDEN = timedelta(minutes=10)
_RENEWAL = timedelta(minutes=5)
# The host's shortest polling interval: a message released at once does not come back sooner.
_SHORTEST_RETURN = timedelta(milliseconds=100)
_LONGEST_PAUSE = 60.0
_POISON = "-poison"


class QueueListener:
    """One queue-triggered function of the app.

    Args:
        function: the function to call.
        trigger: its queue trigger.
        invoker: calls it.
        queues: the messages.
        settings: of host.json.
        clock: gives the present time, aware.
    """

    def __init__(
        self,
        function: Function,
        trigger: QueueTrigger,
        invoker: Invoker,
        queues: Queues,
        settings: QueueSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._function = function
        self._queue = trigger.queue
        self._invoker = invoker
        self._queues = queues
        self._settings = settings
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        queues.on_message(trigger.queue, self._wake.set)

    async def run(self) -> None:
        """Take messages until `stop`, then wait for the functions that run."""
        while not self._stopping:
            self._wake.clear()
            if len(self._tasks) <= self._settings.new_batch_threshold:
                for message in self._queues.take(self._queue, self._settings.batch_size, _HIDDEN):
                    task = asyncio.create_task(self._process(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._done)
            await self._pause()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def stop(self) -> None:
        """Take no more messages."""
        self._stopping = True
        self._wake.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A message of queue '%s' was not settled", self._queue, exc_info=error)
        self._wake.set()

    async def _pause(self) -> None:
        """Sleep until something changes: a message put, one settled, or one visible again."""
        seconds = _LONGEST_PAUSE
        following = self._queues.next_visible(self._queue)
        if following is not None and len(self._tasks) <= self._settings.new_batch_threshold:
            seconds = min(max((following - self._clock()).total_seconds(), 0.0), seconds)
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _process(self, message: Message) -> None:
        if message.dequeue_count > self._settings.max_dequeue_count:
            # It was taken often enough and nobody lived to say so.
            self._settle(message, succeeded=False)
            return
        renewal = asyncio.create_task(self._keep_hidden(message))
        try:
            outcome = await self._invoker.invoke(
                self._function,
                _body(message),
                f"message {message.id} of queue '{self._queue}', delivery {message.dequeue_count}",
                _metadata(message),
            )
        finally:
            renewal.cancel()
        self._settle(message, succeeded=outcome.error is None)

    def _settle(self, message: Message, *, succeeded: bool) -> None:
        if succeeded:
            settled = self._queues.delete(message)
        elif self._queue.endswith(_POISON):
            # A poison queue has none of its own: the host leaves the message hidden, against a fast endless loop.
            logger.warning("Message %s of queue '%s' stays hidden until %s", message.id, self._queue, message.visible)
            settled = True
        elif message.dequeue_count >= self._settings.max_dequeue_count:
            logger.error(
                "Message %s of queue '%s' was taken %d times without success and is moved to '%s%s'",
                message.id,
                self._queue,
                message.dequeue_count,
                self._queue,
                _POISON,
            )
            settled = self._queues.move(message, self._queue + _POISON)
        else:
            after = timedelta(seconds=self._settings.visibility_timeout)
            settled = self._queues.release(message, max(after, _SHORTEST_RETURN))
        if not settled:
            logger.warning("Message %s of queue '%s' came back while its function ran", message.id, self._queue)

    async def _keep_hidden(self, message: Message) -> None:
        while True:
            await asyncio.sleep(_RENEWAL.total_seconds())
            self._queues.renew(message, _HIDDEN)


def _body(message: Message) -> Datum:
    try:
        return text(message.body.decode())
    except UnicodeDecodeError:
        return raw(message.body)


def _metadata(message: Message) -> dict[str, Datum]:
    return {
        "QueueTrigger": _body(message),
        "Id": text(message.id),
        "DequeueCount": whole(message.dequeue_count),
        "InsertionTime": moment(message.inserted),
        "ExpirationTime": moment(message.expires),
        "NextVisibleTime": moment(message.visible),
        "PopReceipt": text(message.receipt),
    }
