from django.urls import path

from machines.views import uploaded

app_name = "uploaded"
urlpatterns = [
    path("", uploaded.model_list, name="list"),
    path("new/", uploaded.new, name="new"),
    path("<int:pk>/", uploaded.detail, name="detail"),
    path("<int:pk>/inputs/", uploaded.inputs, name="inputs"),
    path("<int:pk>/replace/", uploaded.replace, name="replace"),
    path("<int:pk>/checking/cancel/", uploaded.checking_cancel, name="checking-cancel"),
    path("<int:pk>/versions/<int:number>/use/", uploaded.version_use, name="version-use"),
    path("<int:pk>/versions/<int:number>/delete/", uploaded.version_delete, name="version-delete"),
    path("<int:pk>/versions/<int:number>/file/", uploaded.version_file, name="version-file"),
]
