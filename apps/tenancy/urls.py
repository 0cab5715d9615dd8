"""Page routes of the tenancy app, on the tenant's host."""

from django.urls import path, re_path, register_converter

from apps.tenancy.views import brands, domains, organisation


class DigestConverter:
    """A SHA-256 in lower-case hex."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


register_converter(DigestConverter, "digest")

urlpatterns = [
    path("settings/", organisation.organisation, name="settings"),
    path("settings/region/", organisation.region, name="settings-region"),
    path("settings/tax-ids/", organisation.tax_numbers, name="settings-tax-ids"),
    path("settings/tax-ids/<uuid:tax_id>/delete/", organisation.remove_tax_number, name="settings-tax-id-delete"),
    path("settings/domains/", domains.domain_list, name="settings-domains"),
    path("settings/domains/address/", domains.change_slug, name="settings-slug"),
    path("settings/domains/primary/", domains.make_primary, name="settings-domain-primary"),
    path("settings/domains/former/<uuid:domain_id>/free/", domains.free_former, name="settings-domain-free"),
    path("settings/domains/<uuid:claim_id>/check/", domains.check, name="settings-domain-check"),
    path("settings/domains/<uuid:claim_id>/delete/", domains.remove, name="settings-domain-delete"),
    path("settings/brands/", brands.brand_list, name="settings-brands"),
    path("settings/brands/new/", brands.create, name="settings-brand-new"),
    path("settings/brands/preview/", brands.preview, name="settings-brand-preview"),
    path("settings/brands/<uuid:brand_id>/", brands.edit, name="settings-brand"),
    path("settings/brands/<uuid:brand_id>/default/", brands.make_default, name="settings-brand-default"),
    path("settings/brands/<uuid:brand_id>/delete/", brands.delete, name="settings-brand-delete"),
    path("brand/<digest:digest>.png", brands.logo, name="brand-logo"),
    re_path(r"^brand/(?P<accent>[0-9a-f]{6})\.css$", brands.style, name="brand-style"),
]
