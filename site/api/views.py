"""The calls described: for programs (OpenAPI) and for people. drf-spectacular is only loaded when somebody asks."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    from api.schema import as_json, as_yaml

    if request.GET.get("format") == "yaml":
        return HttpResponse(as_yaml(), content_type="application/yaml; charset=utf-8")
    return HttpResponse(as_json(), content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    from api.page import groups_of
    from api.schema import document

    base = f"{request.scheme}://{request.get_host()}"
    return render(request, "api/docs.html", {"groups": groups_of(document(), base), "base": base})
