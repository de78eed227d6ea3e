"""The addresses of the REST calls. Each app keeps its own."""

from django.urls import include, path

from machines.api import urlpatterns as machines

app_name = "api"
urlpatterns = [path("machines/", include(machines))]
