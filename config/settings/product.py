"""Everything that every environment shares."""

from config.settings.base import *  # noqa: F403
from config.settings.integrations import *  # noqa: F403
from config.settings.middleware import *  # noqa: F403
from config.settings.observability import *  # noqa: F403
from config.settings.operators import *  # noqa: F403
from config.settings.row_security import *  # noqa: F403
from config.settings.security import *  # noqa: F403
from config.settings.tenants import *  # noqa: F403
