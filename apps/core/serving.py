"""What a view asks of the workspace middleware that runs it."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

# own_transactions: runs in the tenant's scope and opens its transactions itself, because it calls the outside.
# writes_when_suspended: may change something in a suspended workspace.
# pays_when_suspended: the same, where the platform's setting lets customers pay.
# serves_unready: works before a tenant's schema stands, outside its scope.
# serves_temporary_password: works for who still has the password that an operator gave him.
# serves_unproven: works for who still owes the second factor that the workspace demands.
Term = Literal[
    "own_transactions",
    "writes_when_suspended",
    "pays_when_suspended",
    "serves_unready",
    "serves_unproven",
    "serves_temporary_password",
]
View = TypeVar("View", bound=Callable[..., Any])


def served(*terms: Term) -> Callable[[View], View]:
    """Declare `terms` of a view function; a class of views declares them as attributes (`rest.views.ApiView`)."""

    def declare(view: View) -> View:
        for term in terms:
            setattr(view, term, True)
        return view

    return declare


def declares(view: Callable[..., Any], term: Term, method: str = "") -> bool:
    """Whether the view, or the class behind it, declares `term`: for every method, or for the ones that it names."""
    holders = (view, getattr(view, "cls", None), getattr(view, "view_class", None))
    values = [getattr(holder, term, False) for holder in holders if holder is not None]
    return any(value is True or (isinstance(value, frozenset) and method in value) for value in values)
