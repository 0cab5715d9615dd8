"""The one line that names an operation in the OpenAPI document, for those whose view gives none."""

from typing import Any

_VERBS = {
    "accept": "Accept",
    "ban": "Ban",
    "check": "Check",
    "resend": "Send anew",
    "rotate": "Rotate",
    "transfer-ownership": "Transfer ownership to",
    "unban": "Unban",
}
_WHOLE = {
    "auth/confirm": "Confirm that it is you",
    "auth/confirm/passkey": "Begin to confirm by passkey",
    "auth/discover": "List the workspaces that one can sign in to",
    "auth/email/resend": "Send the confirmation mail again",
    "auth/email/verify": "Confirm an e-mail address",
    "auth/password/change": "Change one's password",
    "auth/password/forgot": "Ask for a link to set a new password",
    "auth/password/reset": "Set a new password by a link",
    "auth/refresh": "Exchange a refresh token",
    "auth/signin": "Sign in",
    "auth/signout": "Sign out",
    "auth/signout-all": "Sign out everywhere",
    "auth/signup": "Sign up",
    "auth/validate": "Ask what an access token stands for",
    "delete me/membership": "Leave the workspace",
    "delete me/sessions": "End all other sessions",
    "delete tenant": "Delete the workspace",
    "get tenant/mfa": "Read who must have a second factor",
    "post me/mfa/recovery-codes": "Make new recovery codes",
    "put tenant/mfa": "Say who must have a second factor",
    "me/avatar/confirm": "Show the uploaded picture",
    "me/mfa/passkeys/begin": "Begin to add a passkey",
    "me/mfa/totp/confirm": "Take an authenticator app into use",
    "tenant/reactivate": "Reactivate the workspace",
    "tenant/retry-provisioning": "Prepare the workspace again",
    "tenant/suspend": "Suspend the workspace",
    "uploads": "Upload a file",
}
_NOUNS = {
    "api-keys": "API keys",
    "avatar": "picture",
    "by-token": "invitations",
    "me": "profile",
    "mfa": "second factors",
    "signup": "sign-up",
    "tax-ids": "tax numbers",
    "tenant": "workspace",
    "totp": "authenticator app",
}


def add_summaries(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook. What would be named alike is told apart by where it stands."""
    given = {one["summary"] for methods in result["paths"].values() for one in methods.values() if one.get("summary")}
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            if not operation.get("summary"):
                summary = summary_of(path, method)
                above = " ".join(segment for segment in path.split("/")[3:-1] if not segment.startswith("{"))
                operation["summary"] = f"{summary} ({above.replace('-', ' ')})" if summary in given else summary
                given.add(operation["summary"])
    return result


def summary_of(path: str, method: str) -> str:
    """Method and path in words: ``PATCH /api/v1/clients/{id}`` is “Change a client”."""
    segments = path.strip("/").split("/")[2:]
    named = [segment for segment in segments if not segment.startswith("{")]
    is_one = segments[-1].startswith("{")
    key = "/".join(named)
    whole = _WHOLE.get(f"{method} {key}") if not is_one else None
    if method in ("post", "put"):
        whole = whole or _WHOLE.get(key)
    if whole:
        return whole
    last = named[-1]
    if method == "post" and last in _VERBS:
        return f"{_VERBS[last]} {_one(named[-2])}"
    nouns = _NOUNS.get(last, last.replace("-", " "))
    if method == "get" and not is_one:
        return f"List {nouns}" if nouns.endswith("s") else f"Read the {nouns}"
    verb = {"get": "Read", "post": "Add", "put": "Set", "patch": "Change", "delete": "Remove"}[method]
    return f"{verb} {_one(last) if is_one or method == 'post' else f'the {nouns}'}"


def _one(segment: str) -> str:
    noun = _NOUNS.get(segment, segment.replace("-", " "))
    noun = noun if noun.endswith("series") else noun.removesuffix("s")
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
