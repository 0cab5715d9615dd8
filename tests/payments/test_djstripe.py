"""dj-stripe is led to the sandbox by the same one setting as the product's own gateway."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fixtures.processes import Sandbox, product_environment
from tests.fixtures.tenants import NewTenant

REPOSITORY = Path(__file__).resolve().parents[2]
SYNC = """
import json, stripe
from djstripe.models import Customer, Product
from django.conf import settings
key = settings.STRIPE_SECRET_KEY
product = stripe.Product.create(name="Team plan", api_key=key)
customer = stripe.Customer.create(email="books@example.test", name="Example", api_key=key)
Product.sync_from_stripe_data(product, api_key=key)
Customer.sync_from_stripe_data(customer, api_key=key)
print(json.dumps({
    "host": stripe.api_base,
    "product": Product.objects.get(id=product.id).name,
    "customer": Customer.objects.get(id=customer.id).email,
}))
"""


def test_dj_stripe_mirrors_what_the_sandbox_holds(
    sandbox_process: Sandbox, committed: NewTenant, database_name: str
) -> None:
    environment = {
        **os.environ,
        **product_environment(database_name),
        "STRIPE_API_HOST": sandbox_process.url,
        "STRIPE_SECRET_KEY": "sk_test_" + "0" * 24 + "tests",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", SYNC],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.strip().splitlines()[-1]) == {
        "host": sandbox_process.url,
        "product": "Team plan",
        "customer": "books@example.test",
    }
