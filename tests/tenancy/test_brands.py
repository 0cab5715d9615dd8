"""Brands: one default, logos drawn anew, colours that can be seen; issued invoices keep their face."""

import io
import itertools
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.core import colours
from apps.core.errors import NotFound, PermissionRefused, ValidationFailed
from apps.invoices import services as invoices
from apps.notifications.models import EmailDelivery
from apps.tenancy import brands, logos, selectors
from apps.tenancy.brands import BrandInUse
from apps.tenancy.models import Brand, Domain
from apps.tenancy.selectors import TenantView
from tests.factories import invoices as factory
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import actor_of, in_tenant


def picture(kind: str = "PNG", size: tuple[int, int] = (1200, 300), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (200, 30, 30) if mode == "RGB" else 128).save(out, kind)
    return out.getvalue()


def make(tenant: TenantView, **values: Any) -> brands.BrandView:
    with in_tenant(tenant):
        return brands.create_brand(actor=actor_of(tenant), values={"name": "Harbour", **values})  # type: ignore[typeddict-item]


def test_some_text_is_legible_on_every_accent() -> None:
    for rgb in itertools.product(range(0, 256, 15), repeat=3):
        fill = "#{:02x}{:02x}{:02x}".format(*rgb)
        assert colours.contrast(fill, colours.foreground(fill)) >= colours.TEXT_CONTRAST


@pytest.mark.parametrize("accent", ["#ffffff", "#000", "#ffd400", "#777777", "#2f5fe0", "#00ff00"])
def test_a_palette_is_legible_in_light_and_dark(accent: str) -> None:
    found = colours.palette(accent)
    assert colours.contrast(found.text, colours.WHITE) >= colours.TEXT_CONTRAST
    assert colours.contrast(found.text_dark, colours.DARK_SURFACE) >= colours.TEXT_CONTRAST
    assert colours.contrast(found.fill, found.on_fill) >= colours.TEXT_CONTRAST
    assert colours.contrast(found.fill_dark, found.on_fill_dark) >= colours.TEXT_CONTRAST
    assert colours.contrast(found.fill_dark, colours.DARK_SURFACE) >= colours.CONTROL_CONTRAST


@pytest.mark.parametrize("accent", ["", "red", "#12", "#ffffff", "#fefefe", "#gggggg", "#2f5fe0; color: red", "#2f5fe"])
def test_an_accent_that_nobody_sees_is_refused(acme: TenantView, accent: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        make(acme, accent=accent)
    assert refused.value.errors[0].field == "accent"


def test_a_pale_accent_is_kept_with_a_warning(acme: TenantView) -> None:
    assert make(acme, accent="#FFD400").warning
    assert not make(acme, name="Dark", accent="#123").warning


def test_the_first_is_the_default_and_one_always_is(acme: TenantView) -> None:
    first, second = make(acme), make(acme, name="Second")
    with in_tenant(acme):
        owner = actor_of(acme)
        assert (first.is_default, second.is_default) == (True, False)
        with pytest.raises(BrandInUse):
            brands.delete_brand(actor=owner, brand_id=first.id)  # type: ignore[arg-type]
        brands.make_default(actor=owner, brand_id=second.id)  # type: ignore[arg-type]
        assert [(row.name, row.is_default) for row in brands.list_brands(actor=owner)] == [
            ("Second", True),
            ("Harbour", False),
        ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 61),
        ("name", "a\nb"),
        ("name", "HARBOUR"),
        ("sender_name", "Evil\r\nBcc: all@example.com"),
        ("reply_to", "nobody"),
        ("reply_to", "a@b.test\nBcc: c@d.test"),
        ("locale", "xx"),
        ("invoice_intro", "x" * 501),
        ("payment_terms", "a\x00b"),
        ("domain_id", "01a1fd32-4c01-7414-84c3-99c845573369"),
    ],
)
def test_bad_values_are_told(acme: TenantView, field: str, value: str) -> None:
    make(acme)
    with pytest.raises(ValidationFailed) as refused:
        make(acme, **{"name": "Other", field: value})
    assert refused.value.errors[0].field == field


def test_another_tenants_domain_is_refused(acme: TenantView, globex: TenantView) -> None:
    domain = Domain.objects.create(domain="shop.globex.example", tenant_id=globex.id, kind="CUSTOM")
    with pytest.raises(ValidationFailed):
        make(acme, domain_id=domain.id)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_drawn_anew(acme: TenantView, kind: str) -> None:
    brand = make(acme)
    with in_tenant(acme):
        brand = brands.set_logo(actor=actor_of(acme), brand_id=brand.id, content=picture(kind))  # type: ignore[arg-type]
    shown = Client(SERVER_NAME=acme.host).get(brand.logo_path)

    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(shown.content)).size == (640, 160)
    assert "immutable" in shown["Cache-Control"]


def test_a_logo_is_on_its_own_tenants_hosts_alone(acme: TenantView, globex: TenantView) -> None:
    brand = make(acme)
    with in_tenant(acme):
        brand = brands.set_logo(actor=actor_of(acme), brand_id=brand.id, content=picture())  # type: ignore[arg-type]
    assert Client(SERVER_NAME=globex.host).get(brand.logo_path).status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        picture("GIF", (10, 10)),
        picture()[:200],
        b"x" * (logos.LARGEST_FILE + 1),
        picture("PNG", (6000, 5000), "L"),
    ],
)
def test_what_is_no_small_picture_is_refused(acme: TenantView, content: bytes) -> None:
    brand = make(acme)
    with in_tenant(acme), pytest.raises(ValidationFailed):
        brands.set_logo(actor=actor_of(acme), brand_id=brand.id, content=content)  # type: ignore[arg-type]


def test_an_issued_invoice_keeps_its_face(acme: TenantView) -> None:
    brand = make(acme, accent="#0f766e", payment_terms="30 days", sender_name="Harbour Billing", reply_to="ap@h.test")
    with in_tenant(acme):
        owner = actor_of(acme)
        brands.set_logo(actor=owner, brand_id=brand.id, content=picture())  # type: ignore[arg-type]
        draft = factory.make_draft(owner, brand_id=brand.id)
        issued = invoices.finalize_invoice(actor=owner, invoice_id=draft.id)
        brands.update_brand(actor=owner, brand_id=brand.id, changes={"accent": "#b91c1c", "payment_terms": "none"})  # type: ignore[arg-type]
        sent = invoices.send_invoice(actor=owner, invoice_id=issued.id)

    assert (sent.brand_id, sent.brand.accent, sent.brand.payment_terms) == (brand.id, "#0f766e", "30 days")
    page = Client(SERVER_NAME=acme.host).get(f"/i/{sent.hosted_url.split('/')[-2]}/").content.decode()  # type: ignore[union-attr]
    assert "30 days" in page and "/brand/0f766e.css" in page and sent.brand.logo_path in page
    letter = EmailDelivery.objects.filter(related_id=issued.id).latest("created_at")
    assert (letter.from_name, letter.reply_to) == ("Harbour Billing", "ap@h.test")
    assert (letter.context["brand"]["accent"], letter.context["brand"]["on_accent"]) == ("#0f766e", "#ffffff")


def test_text_of_a_brand_never_becomes_source(acme: TenantView, browser_client: BrowserFor) -> None:
    evil = '#read("/etc/passwd") {{ 7*7 }} <script>alert(1)</script>'
    make(acme, name="<b>x</b>", invoice_intro=evil, invoice_footer=evil, payment_terms=evil)
    with in_tenant(acme):
        issued = factory.make_open(actor_of(acme))
    client = browser_client(acme)

    assert client.get(f"/invoices/{issued.id}/pdf/").content.startswith(b"%PDF")
    assert "<script>alert(1)" not in client.get(f"/invoices/{issued.id}/").content.decode()
    assert "<b>x</b>" not in client.get("/settings/brands/").content.decode()


def test_a_deleted_brand_gives_way_to_the_default(acme: TenantView) -> None:
    make(acme)
    other = make(acme, name="Other")
    with in_tenant(acme):
        owner = actor_of(acme)
        draft = factory.make_draft(owner, brand_id=other.id)
        brands.delete_brand(actor=owner, brand_id=other.id)  # type: ignore[arg-type]
        invoices.update_invoice(actor=owner, invoice_id=draft.id, changes={"notes": "n"})
        assert invoices.finalize_invoice(actor=owner, invoice_id=draft.id).brand.name == "Harbour"


def test_links_of_a_brand_use_its_domain(acme: TenantView) -> None:
    domain = Domain.objects.create(domain="pay.harbour.example", tenant_id=acme.id, kind="CUSTOM")
    brand = make(acme, domain_id=domain.id)
    with in_tenant(acme):
        issued = factory.make_open(actor_of(acme), brand_id=brand.id)
        assert (issued.hosted_url or "").startswith("http://pay.harbour.example/i/")
    assert brands.brand_for_host(acme, "pay.harbour.example").id == brand.id
    assert "Harbour" in Client(SERVER_NAME="pay.harbour.example").get("/sign-in/").content.decode()
    selectors.forget_host("pay.harbour.example")


def test_another_tenants_brand_cannot_be_chosen(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    theirs = make(globex)
    client = api(acme)
    with in_tenant(acme):
        buyer = factory.make_client(actor_of(acme))
        with pytest.raises(NotFound):
            brands.get_brand(actor=actor_of(acme), brand_id=theirs.id)  # type: ignore[arg-type]
    answer = client.post("/api/v1/invoices", factory.body(buyer.id, brand_id=str(theirs.id)))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "brand_id")


@pytest.mark.parametrize("role", ["ACCOUNTANT", "MEMBER", "VIEWER"])
def test_who_may_not(acme: TenantView, role: str) -> None:
    with in_tenant(acme), pytest.raises(PermissionRefused):
        brands.create_brand(actor=actor_of(acme, role), values={"name": "x"})


def test_the_preview_follows_the_form_and_saves_nothing(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    shown = client.post(
        "/settings/brands/preview/", {"name": "Harbour", "accent": "#ffd400", "payment_terms": "30 days"}
    )
    page = shown.content.decode()

    assert 'data-fill="#ffd400"' in page and 'data-on-fill="#000000"' in page and "30 days" in page
    assert client.post("/settings/brands/preview/", {"accent": "#ffffff"}).status_code == 200
    with in_tenant(acme):
        assert brands.list_brands(actor=actor_of(acme)) == []


def test_the_page_makes_a_brand_with_its_logo(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    upload = io.BytesIO(picture())
    upload.name = "logo.png"
    assert client.post("/settings/brands/new/", {"name": "Web", "accent": "#0f766e", "logo": upload}).status_code == 302
    with in_tenant(acme):
        brand = brands.list_brands(actor=actor_of(acme))[0]
    assert brand.logo
    client.post(f"/settings/brands/{brand.id}/", {"name": "Web", "accent": "#0f766e", "remove_logo": "on"})
    with in_tenant(acme):
        assert brands.list_brands(actor=actor_of(acme))[0].logo == ""


def test_a_brand_whose_logo_is_refused_is_not_half_saved(acme: TenantView, browser_client: BrowserFor) -> None:
    browser = browser_client(acme)

    def send(path: str, name: str, content: bytes) -> int:
        upload = SimpleUploadedFile("logo.png", content, "image/png")
        return browser.post(path, {"name": name, "accent": "#2f5fe0", "logo": upload}).status_code

    assert send("/settings/brands/new/", "Pier", b"<svg><script/></svg>") == 400
    assert not Brand.objects.filter(name="Pier").exists()
    assert send("/settings/brands/new/", "Pier", picture()) == 302
    brand = Brand.objects.get(name="Pier")
    assert send(f"/settings/brands/{brand.pk}/", "Quay", b"<html>") == 400
    brand.refresh_from_db()
    assert brand.name == "Pier"


def test_an_address_that_no_column_holds_is_refused(acme: TenantView, browser_client: BrowserFor, api: ApiFor) -> None:
    values = {"name": "Long", "accent": "#2f5fe0", "reply_to": f"{'a' * 245}@example.com"}
    assert browser_client(acme).post("/settings/brands/new/", values).status_code == 400
    answer = api(acme).post("/api/v1/brands", values)
    assert answer.json()["errors"][0]["field"] == "reply_to"
    with pytest.raises(ValidationFailed):
        make(acme, reply_to=values["reply_to"])
