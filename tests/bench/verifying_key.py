"""The public key of the product's tokens, for the programs that it is compared with."""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from config.settings.security import JWT_PRIVATE_KEY_PEM

PUBLIC_PEM = (
    load_pem_private_key(JWT_PRIVATE_KEY_PEM.encode(), password=None)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
