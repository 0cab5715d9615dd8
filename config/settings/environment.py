"""The environment, read in one place and checked at start. Every variable is described in ``.env.example``."""

from pathlib import Path

import environ

REPOSITORY = Path(__file__).resolve().parents[2]

env = environ.Env()
DATA = Path(env.str("INSULA_DATA", default=str(REPOSITORY / ".data"))).resolve()
