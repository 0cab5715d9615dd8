"""Page routes of single sign-on and of the directory, on a tenant's host; part of ``iam``."""

from django.urls import path

from apps.iam.scim import settings_views as directory
from apps.iam.sso import settings_views, views

urlpatterns = [
    path("sign-in/sso/", views.start, name="sso-start"),
    path("sign-in/sso/callback/", views.callback, name="sso-callback"),
    path("settings/sso/", settings_views.sso, name="sso-settings"),
    path("settings/sso/test/", settings_views.test, name="sso-test"),
    path("settings/sso/remove/", settings_views.remove, name="sso-remove"),
    path("settings/sso/domains/add/", settings_views.add_domain, name="mail-domain-add"),
    path("settings/sso/domains/<uuid:mail_domain_id>/check/", settings_views.check_domain, name="mail-domain-check"),
    path("settings/sso/domains/<uuid:mail_domain_id>/remove/", settings_views.remove_domain, name="mail-domain-remove"),
    path("settings/directory/", directory.directory, name="directory"),
    path("settings/directory/tokens/<uuid:scim_token_id>/rotate/", directory.rotate, name="scim-token-rotate"),
    path("settings/directory/tokens/<uuid:scim_token_id>/revoke/", directory.revoke, name="scim-token-revoke"),
    path("settings/directory/groups/<uuid:group_id>/role/", directory.map_group, name="directory-group"),
]
