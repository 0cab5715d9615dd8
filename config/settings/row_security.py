"""What a tenant's database role may do in the shared tables; applied at the end of every migration."""

# What a tenant's database role may do in shared tables. A table with a tenant_id gives all rights on the tenant's own
# rows unless it is named here; any other table gives none unless it is named here.
TENANT_RIGHTS = {
    "audit_entry": "SELECT, INSERT",
    "iam_mfa_policy": "",  # asked in the public scope, so that no tenant's statement lifts the demand
    "iam_user": "SELECT ({visible})",
    "iam_api_key": "",
    "iam_avatar": "SELECT",
    "iam_signature_nonce": "",
    "iam_custom_role": "SELECT",
    "iam_impersonation": "",
    "iam_role_grant": "SELECT",
    # Sign-in and directory are the platform's work alone.
    "iam_mail_domain": "",
    "iam_sso_connection": "",
    "iam_sso_link": "",
    "iam_sso_attempt": "",
    "iam_scim_token": "",
    "iam_directory_entry": "",
    "iam_directory_group": "",
    "iam_directory_group_place": "",
    "tenancy_due_work": "SELECT, INSERT, DELETE",
    "tenancy_tenant": "SELECT, UPDATE ({changeable})",
    "django_content_type": "SELECT",
}
# Which rows, where that is not `tenant_id = {tenant}`.
TENANT_ROWS = {
    "tenancy_tenant": "id = {tenant}",
    "iam_user": "id in (select user_id from public.iam_membership)",
}
TENANT_HIDDEN_COLUMNS: dict[str, frozenset[str]] = {"iam_user": frozenset({"password"})}
# A tenant that could rename its schema would move into another's at its next request.
TENANT_FIXED_COLUMNS = {"tenancy_tenant": frozenset({"id", "key", "schema_name", "database_alias"})}
