"""The order in which a request passes; the comments say what depends on it."""

MIDDLEWARE = [
    # Around everything: ids, limits, policies, figures and the log line of every answer. Does what Django's
    # SecurityMiddleware, XFrameOptionsMiddleware and django-csp's would do one after the other.
    "apps.edge.middleware.EdgeMiddleware",
    "apps.core.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Both run the view themselves inside a tenant's transaction (process_view answers), so they come last.
    "apps.tenancy.operators.OperatorTenantMiddleware",
    "apps.iam.middleware.WorkspaceMiddleware",
]
