"""Routes of the tenancy API."""

from django.urls import path

from apps.tenancy.api import views

urlpatterns = [
    path("brands", views.BrandList.as_view(), name="brand-list"),
    path("brands/<uuid:brand_id>", views.BrandResource.as_view(), name="brand"),
    path("brands/<uuid:brand_id>/logo", views.BrandLogo.as_view(), name="brand-logo"),
    path("domains", views.DomainList.as_view(), name="domain-list"),
    path("domains/<uuid:claim_id>", views.DomainResource.as_view(), name="domain"),
    path("domains/<uuid:claim_id>/check", views.DomainCheck.as_view(), name="domain-check"),
    path("tax-ids", views.TaxIdList.as_view(), name="tax-id-list"),
    path("tax-ids/<uuid:tax_id>", views.TaxIdResource.as_view(), name="tax-id"),
]
