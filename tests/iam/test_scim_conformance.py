"""SCIM as an independent program sees it (scim2-tester)."""

from scim2_tester import Status, check_server

from tests.iam import federated, scim_client


def test_every_check_of_the_tester(acme):
    federated.prove_domain(acme)
    results = check_server(scim_client.conforming_client(acme))
    fine = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)
    # Searching users and groups in one call is optional (RFC 7644, 3.4.3), and not supported.
    wrong = [it for it in results if it.status not in fine and it.title != "search_with_attributes"]
    assert not wrong, "\n".join(f"{it.status.name} {it.resource_type} {it.title}: {it.reason}" for it in wrong)
    assert len(results) > 60
