"""The suite's settings on django-tenants' own backend, for its own ``migrate_schemas``.

Without dj-stripe: its history renders 60 models 520 times, in every schema anew, which is not what is compared here.
"""

from tests.tenancy.grown_settings import *  # noqa: F403
from tests.tenancy.grown_settings import DATABASE_OWNER_ROLE, DATABASES, INSTALLED_APPS, SHARED_APPS

SHARED_APPS = [app for app in SHARED_APPS if app != "djstripe"]
INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "djstripe"]
DATABASES = {
    "default": {
        **DATABASES["default"],
        "ENGINE": "django_tenants.postgresql_backend",
        "OPTIONS": {"options": f"-c role={DATABASE_OWNER_ROLE}"},
    }
}
