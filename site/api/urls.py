"""The addresses of the REST calls. Each app keeps its own."""

from django.urls import include, path

from machines.api import urlpatterns as machines
from machines.api import work_urlpatterns as work

app_name = "api"
urlpatterns = [path("machines/", include(machines)), path("work/", include(work))]
