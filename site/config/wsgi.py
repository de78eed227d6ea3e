"""What the web server runs: `gunicorn config.wsgi` with site/ on the path."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.wsgi import get_wsgi_application

site = get_wsgi_application()

from api.lane import Lane  # noqa: E402  (the apps are ready only now)
from machines.services.usage import METER  # noqa: E402

application = Lane(site)
METER.run()
