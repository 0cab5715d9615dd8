"""A new second factor ends the person's other sign-ins that had shown none."""

from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.iam import signins, totp
from apps.iam.models import Channel, TokenFamily, User
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.iam.mailbox import RunTasks, mails_to

TOLD = "Devices that had signed in without a second factor are signed out."


def test_a_second_factor_ends_what_it_did_not_prove(
    acme: TenantView, api: ApiFor, browser_client: BrowserFor, run_tasks: RunTasks
) -> None:
    elsewhere, here = api(acme), browser_client(acme)
    user = User.objects.get(email="owner@acme.test")
    kept = [
        signins.start_family(user, acme.id, Channel.BROWSER, Origin(), methods=methods).pk
        for methods in (("pwd", "otp", "mfa"), ("fed",))
    ]
    path = "/account/two-step/app/"

    seed = here.get(path).context["seed"]
    with run_tasks():
        shown = here.post(path, {"code": totp.code_at(seed, totp.step_at(utcnow()))})

    assert TOLD in shown.content.decode()
    assert TOLD in mails_to(user.email)[-1].body
    assert elsewhere.get("/api/v1/me").status_code == 401
    assert here.get("/account/").status_code == 200
    assert TokenFamily.objects.filter(pk__in=kept, revoked_at=None).count() == 2
