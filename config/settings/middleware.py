"""The order in which a request passes; the comments say what depends on it."""

MIDDLEWARE = [
    # Around everything: ids, limits, policies, figures and the log line of every answer. Does what Django's
    # SecurityMiddleware, XFrameOptionsMiddleware and django-csp's would do one after the other.
    "apps.edge.middleware.EdgeMiddleware",
    # What programs read most needs nothing of what follows.
    "apps.iam.thin_reads.ThinReadMiddleware",
    "apps.core.static_files.StaticFilesMiddleware",
    "apps.core.pages_only.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "apps.core.pages_only.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "apps.core.pages_only.AuthenticationMiddleware",
    "apps.core.pages_only.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Both run the view themselves inside a tenant's transaction (process_view answers), so they come last.
    "apps.tenancy.operators.OperatorTenantMiddleware",
    "apps.iam.middleware.WorkspaceMiddleware",
]
