"""Publish a new key for access tokens; it signs after a while, and the old one retires, both by the clock."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.actor import Origin, system
from apps.core.errors import DomainError
from apps.iam import signing


class Command(BaseCommand):
    """``manage.py rotate_signing_key``; nothing is restarted and no request is refused."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """The options; without any, a rotation begins."""
        parser.add_argument("--status", action="store_true", help="only show the keys and what comes when")
        parser.add_argument("--lead", type=int, metavar="SECONDS", help="how long others have to read the new key")
        parser.add_argument("--withdraw", metavar="KID", help="let a leaked key verify nothing any more, at once")

        parser.add_argument(
            "--leaked", metavar="KID", help="the same also for the key that signs: the next one signs from now on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and show the keys."""
        actor = system(origin=Origin(source="CLI"))
        try:
            if options["withdraw"]:
                signing.withdraw_signing_key(actor=actor, kid=options["withdraw"])
            elif options["leaked"]:
                signing.replace_leaked_key(actor=actor, kid=options["leaked"])
            elif not options["status"]:
                lead = options["lead"]
                signing.rotate_signing_key(actor=actor, lead=None if lead is None else timedelta(seconds=max(0, lead)))
        except DomainError as error:
            raise CommandError(error.detail) from error
        found = signing.list_signing_keys()
        if not found:
            self.stdout.write("The key of JWT_PRIVATE_KEY signs; it was never rotated.")
        for key in found:
            until = f", verifies until {key.verifies_until:%Y-%m-%d %H:%M:%S} UTC" if key.verifies_until else ""
            self.stdout.write(
                f"{key.kid}  {key.state.value:<10} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC{until}"
            )
