"""The addresses of the REST calls. Each app keeps its own."""

from django.urls import include, path

from api.views import docs, schema
from machines.api import urls as machines

app_name = "api"
urlpatterns = [
    path("docs/", docs, name="docs"),
    path("schema/", schema, name="schema"),
    path("machines/", include(machines.urlpatterns)),
    path("models/", include(machines.model_urlpatterns)),
    path("work/", include(machines.work_urlpatterns)),
]
