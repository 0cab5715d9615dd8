"""Background work of the IAM app."""

from uuid import UUID

from apps.core.jobs import platform_task
from apps.iam import avatars, impersonating, services, signed_requests
from apps.iam.sso import mail_domains


@platform_task("iam.purge_expired")
def purge_expired() -> None:
    """Delete what ended a month ago."""
    services.purge_expired()


@platform_task("iam.sweep_avatars")
def sweep_avatars() -> None:
    """Remove pictures that were uploaded and never confirmed, or that were replaced."""
    avatars.sweep()


@platform_task("iam.purge_nonces")
def purge_nonces() -> None:
    """Forget signed requests that could not be repeated any more, in batches until none is left."""
    while signed_requests.purge_nonces() == signed_requests.PURGE_BATCH:
        pass


@platform_task("iam.mail_token", queue="notifications")
def mail_token(token_id: str) -> None:
    """Have one reset or verification link mailed."""
    services.mail_token(token_id=UUID(token_id))


@platform_task("iam.mail_owed", queue="notifications")
def mail_owed() -> None:
    """Have every link mailed that is still owed."""
    services.mail_owed()


@platform_task("iam.check_mail_domains", queue="default")
def check_mail_domains() -> None:
    """Ask DNS again about mail domains whose time has come."""
    mail_domains.check_due_domains()


@platform_task("iam.note_ended_impersonations")
def note_ended_impersonations() -> None:
    """Write down that operators are themselves again."""
    impersonating.note_ended()


@platform_task("iam.lift_expired_bans")
def lift_expired_bans() -> None:
    """Write down the bans that have run out."""
    services.lift_expired_bans()
