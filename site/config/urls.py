"""Every address of the site."""

from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.http import require_safe

from dashboards.graph_urls import public_graphs
from machines.urls import public_forms

handler500 = "config.full_disk.server_error"


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that the web process runs and reaches its database; no sign-in, for load balancers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("dashboards.urls")),
    path("", include("dashboards.graph_urls")),
    path("", include("accounts.urls")),
    path("machines/", include("machines.urls")),
    path("models/", include("machines.urls_uploaded")),
    path("p/", include((public_forms, "public"))),
    path("g/", include((public_graphs, "shown"))),
    path("api/", include("api.urls")),
    path("admin/", admin.site.urls),
]
