"""Commands that run an operation in the foreground, with progress on one line."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from tracking import wakeup
from tracking.management.arguments import moment, rate, storable
from tracking.management.confirm import ConfirmingCommand, find
from tracking.models import Operation
from tracking.models.deliveries.criteria import Criteria
from tracking.models.operations.base import BatchOperation
from tracking.models.operations.operation import OperationState
from tracking.terminal import escape_controls

#: Seconds between two checks whether the next chunk may run.
LOOK_SECONDS = 0.1
EPILOG = (
    "The operation is listed in the admin and can be stopped there, too. Ctrl-C stops it between "
    "two chunks; if this command is killed, a worker continues the operation."
)


class OperationCommand(ConfirmingCommand):
    operation_class: ClassVar[type[BatchOperation]]
    times: ClassVar[str]

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        return super().create_parser(*args, epilog=EPILOG, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--since", type=moment, help=f"{self.times}, ISO-8601, in UTC unless it has an offset."
        )
        parser.add_argument("--until", type=moment, help="Before this time.")
        parser.add_argument(
            "--event", type=storable, default="", help="Only hits with this event name."
        )
        parser.add_argument("--rate", type=rate, help="At most this many hits/s.")

    def handle(self, *args: Any, integration: str, **options: Any) -> None:
        names = ("since", "until", "code", "message", "event")
        given = {name: options[name] for name in names if options.get(name)}
        operation = self.operation_class(find(integration), Criteria(**given))
        preview = operation.preview()
        options["dry_run"] |= preview.count == 0
        if self.is_confirmed(str(operation.counted), preview, options):
            by = f"manage.py {operation.name}"
            self.carry_out(Operation.objects.request(operation, by=by, rate=options["rate"]))

    def carry_out(self, operation: Operation) -> None:
        """Run the operation to its end, and print the result. Raises CommandError unless it
        finished."""
        try:
            while operation.is_open:
                if operation.step():
                    wakeup.wake_dispatcher()
                else:
                    time.sleep(LOOK_SECONDS)
                operation.refresh_from_db()
                self.show(operation)
        except KeyboardInterrupt:
            operation.stop("Ctrl-C")
            operation.refresh_from_db()
        self.stdout.write(f"\r{operation.done:,} of {operation.total:,} done.")
        if operation.state != OperationState.FINISHED:
            raise CommandError(escape_controls(operation.message))

    def show(self, operation: Operation) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{operation.done:,} of {operation.total:,} ", ending="")
            self.stdout.flush()
