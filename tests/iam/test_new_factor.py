"""A new second factor ends the person's other sign-ins that had shown none; one that goes, those that had shown it."""

import pytest

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.iam import passkeys, selectors, services, signins, totp
from apps.iam.errors import InvalidToken
from apps.iam.factor_models import Passkey
from apps.iam.models import Channel, SessionHandoff, TokenFamily, User
from apps.iam.proofs import Proof
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.iam.mailbox import RunTasks, mails_to
from tests.iam.second_factors import enrol, with_passkey

TOLD = "Devices that had signed in without a second factor are signed out."
GONE = "Other devices that had signed in this way are signed out."


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


def test_a_factor_that_goes_ends_what_it_had_proved(
    acme: TenantView, browser_client: BrowserFor, run_tasks: RunTasks
) -> None:
    here, user = browser_client(acme), User.objects.get(email="owner@acme.test")
    enrol(acme, user.id, user.email)
    TokenFamily.objects.filter(user=user).update(methods=["pwd", "otp", "mfa"], strong_at=utcnow())
    by_code, by_passkey, vouched_for = (
        signins.start_family(user, acme.id, Channel.BROWSER, Origin(), methods=methods)
        for methods in (("pwd", "otp", "mfa"), ("hwk", "mfa"), ("fed", "otp", "mfa"))
    )
    SessionHandoff.objects.create(user=user, tenant_id=acme.id, digest="-", expires_at=utcnow())

    with run_tasks():
        page = here.post("/account/two-step/app/remove/", follow=True)

    assert GONE in page.content.decode()
    assert GONE in mails_to(user.email)[-1].body
    noted = AuditEntry.objects.filter(action="iam.mfa.remove_app", entity_id=str(user.id)).latest("id")
    assert noted.after == {"ended": 1}
    for family in (by_code, by_passkey, vouched_for):
        family.refresh_from_db()
    assert by_code.revoked_reason == "factor_removed"
    assert [family.revoked_at for family in (by_passkey, vouched_for)] == [None, None]
    assert (vouched_for.methods, vouched_for.strong_at) == (["fed", "mfa"], None)
    assert not SessionHandoff.objects.filter(user=user).exists()


def test_a_passkey_that_goes_ends_the_sign_ins_of_its_kind(acme: TenantView) -> None:
    user_id, _email, _device = with_passkey(acme)
    user, kept = User.objects.get(pk=user_id), Passkey.objects.get(user_id=user_id)
    word, other = ("swk", "hwk") if kept.is_synced else ("hwk", "swk")
    here, _same, another = (
        signins.start_family(user, acme.id, Channel.API, Origin(), methods=(kind, "mfa"))
        for kind in (word, word, other)
    )
    actor, shown = selectors.actor_for_member(user_id, acme.id, Origin()), Proof.given((word, "mfa"), utcnow())
    assert actor is not None

    passkeys.remove(actor=actor, family_id=here.pk, passkey_id=kept.pk)

    living = TokenFamily.objects.filter(user_id=user_id, revoked_at=None)
    assert set(living.values_list("pk", "strong_at")) == {(here.pk, None), (another.pk, None)}
    # Nor does it let anybody in who had just shown it.
    with pytest.raises(InvalidToken):
        services.enter_by_browser(user_id=user_id, tenant_id=acme.id, proof=shown, origin=Origin())
