"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class InsulaArgon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane: OWASP's minimum, a seventh of Django's default in time.

    Hashes made with other parameters, and bcrypt's, still verify and are replaced at the next sign-in.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
